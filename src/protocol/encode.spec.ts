import { describe, expect, it } from 'vitest';
import { encodeAck, encodeDurableFrame, encodeFrame } from './encode.js';

describe('encoding of outbound frames', () => {
  it('derives the id of a durable frame from its place in the log', () => {
    const frame = encodeDurableFrame({
      type: 'stream_block',
      sessionId: 's_1',
      seq: 7,
      messageId: 'a "quoted" id \\ \u2028',
      timestamp: 1_800_000_000_000,
      payload: '{"content":"hi"}',
    });
    expect(JSON.parse(frame)).toEqual({
      type: 'stream_block',
      id: 'f_s_1_7',
      timestamp: 1_800_000_000_000,
      session_id: 's_1',
      seq: 7,
      correlation_id: 'a "quoted" id \\ \u2028',
      payload: { content: 'hi' },
    });
  });

  it('gives every other frame a unique id, and only the fields that it has', () => {
    const [first, second] = [encodeFrame('pong', {}), encodeFrame('pong', {})].map(
      (frame) => JSON.parse(frame) as Record<string, unknown>,
    );
    expect(first!['id']).not.toEqual(second!['id']);
    expect(Object.keys(first!)).toEqual(['type', 'id', 'timestamp', 'payload']);
    expect(JSON.parse(encodeFrame('pong', {}, { sessionId: 's', correlationId: 'c"', timestamp: 5 }))).toMatchObject({
      type: 'pong',
      timestamp: 5,
      session_id: 's',
      correlation_id: 'c"',
      payload: {},
    });
  });

  it('gives ids that disclose nothing of the frames between them', () => {
    const ids = Array.from({ length: 2_000 }, () => (JSON.parse(encodeFrame('pong', {})) as { id: string }).id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^g_[\w-]{16}$/);
    // Each digit changes from one id to the next about as often as it does at random, 63 times out of 64.
    for (let digit = 2; digit < 18; digit++) {
      const kept = ids.filter((id, at) => id[digit] === ids[at - 1]?.[digit]);
      expect(kept.length).toBeLessThan(200);
    }
  });

  it('encodes an acknowledgement as JSON.stringify does, for any id', () => {
    const ack = {
      id: '"}\\\n\u0001é🦞',
      message_ref: 'm_1',
      status: 'queued',
      mode: 'main',
      agent: 'main',
      priority: 1,
      position: 0,
    } as const;
    expect(JSON.parse(encodeAck(ack, 's_1', 9))).toEqual({
      type: 'message_ack',
      id: expect.stringMatching(/^g_/) as string,
      timestamp: 9,
      session_id: 's_1',
      correlation_id: ack.id,
      payload: ack,
    });
  });
});
