import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { afterEach, expect, it } from 'vitest';
import { findFreePort } from '../testing/free-port.js';
import { EarlyProbes } from './early-probes.js';

const DOING = 'migrating the store from schema version 22 to 31';
const describe = async () => DOING;

let probes: EarlyProbes | undefined;
afterEach(async () => {
  await probes?.close();
  probes = undefined;
});

it('[L-12] before the gateway listens, it is alive, and neither started nor ready, and they say what is being done', async () => {
  const port = await findFreePort();
  probes = await EarlyProbes.open('127.0.0.1', port, describe);
  const read = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, await response.text()];
  };
  expect(await read('/health/live')).toEqual([200, expect.stringContaining('"phase":"starting"')]);
  for (const path of ['/health/ready', '/health/startup?verbose', '/chat', '/admin/v1/status'])
    expect(await read(path)).toEqual([503, expect.stringContaining(DOING)]);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error.message).toContain('503');
  await probes?.close();
  probes = await EarlyProbes.open('127.0.0.1', port, describe);
  expect(probes).toBeDefined();
});

it('[L-12] are not there where the address is taken', async () => {
  const other = createServer();
  await once(other.listen(0, '127.0.0.1'), 'listening');
  const { port } = other.address() as AddressInfo;
  expect(await EarlyProbes.open('127.0.0.1', port, describe)).toBeUndefined();
  await new Promise((resolve) => other.close(resolve));
});
