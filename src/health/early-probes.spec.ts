import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
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
  // Not by listening again: a process that another test starts holds the old listener for the moment between fork and exec.
  await expect(read('/health/live')).rejects.toThrow();
});

it('[L-12] give the address to the gateway without a moment in which the port is closed', async () => {
  const port = await findFreePort();
  const early = await EarlyProbes.open('127.0.0.1', port, describe);
  const gateway = createHttpServer((_request, response) => response.end('the gateway'));
  const answers: string[] = [];
  const ask = () => fetch(`http://127.0.0.1:${port}/health/live`).then((response) => response.text());
  answers.push(await ask());
  // They are under way while the server changes.
  const underWay = Array.from({ length: 20 }, ask);
  gateway.listen(early?.listening);
  await once(gateway, 'listening');
  for (const answer of await Promise.all(underWay)) expect(answer).toMatch(/starting|the gateway/);
  answers.push(await ask());
  expect(answers).toEqual([expect.stringContaining('starting'), 'the gateway']);
  expect((gateway.address() as AddressInfo).port).toBe(port);
  gateway.closeAllConnections();
  await new Promise((resolve) => gateway.close(resolve));
  await expect(ask()).rejects.toThrow();
});

it('[L-12] are not there where the address is taken', async () => {
  const other = createServer();
  await once(other.listen(0, '127.0.0.1'), 'listening');
  const { port } = other.address() as AddressInfo;
  expect(await EarlyProbes.open('127.0.0.1', port, describe)).toBeUndefined();
  await new Promise((resolve) => other.close(resolve));
});
