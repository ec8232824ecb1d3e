import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { NodeEvent, type DeviceEvent } from '../../src/core/nodes/node-event.decorator.js';
import { GatewayError } from '../../src/protocol/index.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { eventually } from '../support/eventually.js';
import type { FrameClient } from '../support/frame-client.js';
import { callTool, NodeApp, resultOf } from '../support/node-app.js';
import { TestNode } from '../support/test-node.js';

let app: NodeApp;
let line: FrameClient;
let node: TestNode;
const folder = mkdtempSync(join(tmpdir(), 'node-events-'));
afterEach(async () => {
  await app?.close();
  heard.length = 0;
  failures = 0;
  rmSync(join(folder, 'gateway.db'), { force: true });
});

const heard: DeviceEvent[] = [];
let failures = 0;

/** A part of a team's module that hears of doors. */
@Injectable()
class Doorman {
  @NodeEvent('door.opened')
  greet(event: DeviceEvent): void {
    if (failures-- > 0) throw new GatewayError('STORE_UNAVAILABLE', {});
    heard.push(event);
  }
}

@Module({ providers: [Doorman] })
class HouseModule {}

async function start(clock?: ManualClock): Promise<void> {
  app = await NodeApp.start({ modules: [HouseModule], ...(clock && { clock }) });
  node = await app.pair();
  line = await node.connect([]);
}

const sendEvent = (payload: object) => line.answerTo(line.send('node_event', payload));
const anEvent = (n: number) => ({ event_id: `e${n}`, event: 'door.opened', data: { n } });

describe('an event of a node', () => {
  it('[F-12] is acknowledged, handed to the methods for its name in order, and a repeat is not', async () => {
    await start();
    for (const n of [1, 2, 1])
      expect(await sendEvent(anEvent(n))).toMatchObject({ type: 'node_event_ack', payload: { event_id: `e${n}` } });
    await sendEvent({ event_id: 'other', event: 'door.closed' });
    line.send('node_event', { event: 'door.opened' });
    await eventually(() => expect(heard).toHaveLength(3));
    expect(heard).toMatchObject([
      { nodeId: 'kitchen-mac', eventId: 'e1', data: { n: 1 } },
      { nodeId: 'kitchen-mac', eventId: 'e2', data: { n: 2 } },
      { nodeId: 'kitchen-mac', data: null },
    ]);
  });

  it('[F-12] that is the eleventh within a second is dropped with an error, and the connection stays', async () => {
    const clock = new ManualClock(Date.now());
    await start(clock);
    for (let n = 0; n < 10; n++) expect((await sendEvent(anEvent(n))).type).toBe('node_event_ack');
    expect(await sendEvent(anEvent(10))).toMatchObject({
      type: 'error',
      payload: { code: 'RATE_LIMITED', retry_after_ms: 1_000 },
    });
    clock.advance(1_000);
    expect((await sendEvent(anEvent(10))).type).toBe('node_event_ack');
  });

  it.each([
    ['a name with a line break', { event: 'door.opened\n' }],
    ['no name', { event: '' }],
    ['data that are too long', { event: 'a', data: 'x'.repeat(70_000) }],
    ['an unknown field', { event: 'a', fires: 'job' }],
  ])('[F-12] with %s is refused', async (_name, payload) => {
    await start();
    expect((await sendEvent(payload)).payload['code']).toBe('INVALID_PAYLOAD');
  });

  it('[F-12] is refused before its node has registered', async () => {
    await start();
    line = await node.connect();
    expect((await sendEvent(anEvent(1))).payload['code']).toBe('FORBIDDEN');
  });

  it('[F-12] is handled again, in its order, when its handler cannot decide now', async () => {
    const clock = new ManualClock(Date.now());
    await start(clock);
    failures = 1;
    await sendEvent(anEvent(1));
    await sendEvent(anEvent(2));
    await eventually(async () => {
      await clock.advanceAsync(1_000);
      expect(heard.map(({ eventId }) => eventId)).toEqual(['e1', 'e2']);
    });
  });

  it('[F-12] that the gateway took and did not handle is handled after its restart', async () => {
    failures = 1_000_000;
    const settings = { 'store.url': `sqlite:${join(folder, 'gateway.db')}` };
    app = await NodeApp.start({ settings, modules: [HouseModule] });
    node = await app.pair();
    line = await node.connect([]);
    await sendEvent(anEvent(1));
    await app.close();
    failures = 0;
    app = await NodeApp.start({ settings, modules: [HouseModule] });
    await eventually(() => expect(heard.map(({ eventId }) => eventId)).toEqual(['e1']));
  });

  it('[F-12] is kept for a day for sessions that may use its node', async () => {
    await start();
    await sendEvent(anEvent(1));
    await sendEvent({ event_id: 'x', event: 'door.closed' });
    const person = await app.person();
    callTool(person, 'nodes.events', { node_id: 'kitchen-mac', event: 'door.opened' });
    expect(await resultOf(person)).toMatchObject({
      content: { events: [{ node_id: 'kitchen-mac', event: 'door.opened', data: { n: 1 } }] },
    });
    callTool(person, 'nodes.events', { node_id: 'other' });
    expect(await resultOf(person)).toMatchObject({ content: { events: [] } });
  });
});
