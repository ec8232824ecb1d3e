import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { FrameClient } from '../support/frame-client.js';
import { bearer, TOKENS, useTarget } from './target.js';

const target = useTarget({ expectedErrors: /the store (does not|is not|cannot|failed)|unavailable/i });
const openFile = () => new DatabaseSync(join(target.folder, 'data/gateway.db'), { timeout: 5_000 });

/** Runs `work` while another process, here this one, lets the gateway read its database and not write it. */
async function whileReadOnly(work: () => Promise<void>): Promise<void> {
  const file = openFile();
  file.exec('BEGIN IMMEDIATE');
  try {
    await work();
  } finally {
    file.exec('ROLLBACK');
    file.close();
  }
}

/** Sends a message. Resolves with its acknowledgement, or with the error. */
const say = (client: FrameClient, id: string) => {
  client.send('message_in', { channel: 'test', sender: 'alice', content: 'hello' }, { id });
  return client.next((frame) => frame.correlation_id === id && /^(message_ack|error)$/.test(frame.type));
};

describe('a store that takes no commits', () => {
  it('[SE-22] makes messages fail as worth a retry, and the repeat is stored once', async () => {
    const client = await target.connect();
    await whileReadOnly(async () => {
      const { payload } = await say(client, 'during');
      expect(payload).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
      expect(payload['retry_after_ms']).toBeGreaterThan(0);
      expect(JSON.stringify(payload)).not.toMatch(/sqlite|SQL|database|\/data/i);
    });
    await expect.poll(async () => (await say(client, 'during')).payload['status']).toMatch(/queued|duplicate/);
    expect((await say(client, 'during')).payload['status']).toBe('duplicate');
    await client.close();
  });

  it('[SE-22] leaves reading, probes and sign-in as they are, and changes are refused as worth a retry', async () => {
    await whileReadOnly(async () => {
      expect((await target.request('/health/live')).status).toBe(200);
      expect((await target.request('/admin/v1/sessions', { headers: bearer(TOKENS.operator) })).status).toBe(200);
      expect((await target.request('/admin/v1/status', { headers: bearer(TOKENS.owner) })).status).toBe(200);
      const { status, body } = await target.admin(TOKENS.operator).post('tokens', { principal: 'x', role: 'operator' });
      expect([status, body['code'], body['retryable']]).toEqual([503, 'STORE_UNAVAILABLE', true]);
      const client = await target.connect(TOKENS.alice);
      await client.close();
    });
    await expect.poll(async () => (await target.request('/health/ready')).status).toBe(200);
  });

  it('[SE-22] for moments again and again loses nothing, and runs nothing twice', async () => {
    const client = await target.connect();
    const ends: string[] = [];
    client.socket.on('message', (bytes: Buffer) => {
      const { type, correlation_id: id } = JSON.parse(bytes.toString()) as { type: string; correlation_id: string };
      if (type === 'stream_end') ends.push(id);
    });
    const ids = Array.from({ length: 20 }, (_, n) => `slow-${n}`);
    const sendUntilKept = (id: string) =>
      eventually(async () => expect((await say(client, id)).type).toBe('message_ack'));
    const file = openFile();
    const kept = Promise.all(ids.map(sendUntilKept));
    for (let round = 0; round < 10; round++) {
      file.exec('BEGIN IMMEDIATE');
      await target.request('/health/live');
      file.exec('ROLLBACK');
      await target.request('/health/live');
    }
    file.close();
    await kept;
    await expect.poll(() => ends.toSorted()).toEqual(ids.toSorted());
    await client.close();
  });

  it('[SE-22] is flooded meanwhile: the flood is refused, and takes no memory', async () => {
    const client = await target.connect();
    await whileReadOnly(async () => {
      const ids = Array.from({ length: 100 }, (_, n) => `flood-${n}`);
      const codes = await Promise.all(ids.map(async (id) => (await say(client, id)).payload['code']));
      expect(new Set(codes)).toEqual(new Set(['STORE_UNAVAILABLE']));
    });
    await expect.poll(async () => (await say(client, 'after')).payload['status']).toMatch(/queued|duplicate/);
    await client.close();
  });
});

describe('the file of the store', () => {
  it('[SE-22] is read by its own user alone', () => {
    expect(statSync(join(target.folder, 'data/gateway.db')).mode & 0o077).toBe(0);
  });
});
