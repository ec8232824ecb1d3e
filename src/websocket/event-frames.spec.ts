import { describe, expect, it } from 'vitest';
import type { ConnectionEvent } from '../core/connections/connection.js';
import type { DurableFrame } from '../core/store/index.js';
import { GatewayError } from '../protocol/index.js';
import { encodeEvent } from './event-frames.js';
import { joinFrames } from '../sockets/frame-bytes.js';

const frame: DurableFrame = {
  type: 'stream_block',
  messageRef: 'm_1',
  messageId: 'i',
  timestamp: 1,
  payload: '{"content":"é"}',
  sessionId: 's',
  seq: 1,
};

/** Each event except `frames`, with its frame in `openclaw.v1`. */
const events: readonly (readonly [ConnectionEvent, object])[] = [
  [
    {
      kind: 'delta',
      sessionId: 's',
      messageId: 'i',
      messageRef: 'm_1',
      blockId: 'b',
      blockType: 'text',
      text: 'hel',
    },
    {
      type: 'stream_delta',
      session_id: 's',
      correlation_id: 'i',
      payload: { message_id: 'i', message_ref: 'm_1', block_id: 'b', block_type: 'text', delta: 'hel' },
    },
  ],
  [
    {
      kind: 'accepted',
      requestId: 'i',
      status: 'queued',
      timestamp: 7,
      message: {
        kind: 'accepted',
        messageRef: 'm_1',
        sessionId: 's',
        mode: 'main',
        agent: 'main',
        status: 'queued',
        priority: 10,
        position: 2,
        headSeq: 5,
      },
    },
    {
      type: 'message_ack',
      timestamp: 7,
      session_id: 's',
      correlation_id: 'i',
      payload: {
        id: 'i',
        message_ref: 'm_1',
        status: 'queued',
        mode: 'main',
        agent: 'main',
        priority: 10,
        position: 2,
      },
    },
  ],
  [
    { kind: 'refused', requestId: 'i', sessionId: 's', error: new GatewayError('NOT_FOUND', { what: 'it' }) },
    {
      type: 'error',
      session_id: 's',
      correlation_id: 'i',
      payload: { code: 'NOT_FOUND', message: 'Not found: it', retryable: false, details: { what: 'it' } },
    },
  ],
  [
    { kind: 'resumed', requestId: 'r', sessionId: 's', fromSeq: 3, headSeq: 4, isComplete: true },
    {
      type: 'resumed',
      session_id: 's',
      correlation_id: 'r',
      payload: { session_id: 's', from_seq: 3, head_seq: 4, complete: true },
    },
  ],
  [
    { kind: 'goingAway', reconnectAfterMs: 700 },
    { type: 'going_away', payload: { reason: 'draining', reconnect_after_ms: 700 } },
  ],
  [
    {
      kind: 'presence',
      state: { tenant: 't', channel: 'test', userId: 'alice', status: 'typing', lastSeen: 9 },
    },
    { type: 'presence', payload: { channel: 'test', user_id: 'alice', status: 'typing', last_seen: 9 } },
  ],
  [
    { kind: 'extension', type: 'acme.event', payload: { a: 1 } },
    { type: 'acme.event', payload: { a: 1 } },
  ],
];

describe('an event', () => {
  it.each(events)('%# becomes a frame of openclaw.v1', (event, expected) => {
    const { id, timestamp, ...seen } = JSON.parse(encodeEvent(event) as string) as Record<string, unknown>;
    expect('timestamp' in expected ? { ...seen, timestamp } : seen).toEqual(expected);
    expect(id).toMatch(/^g_/);
  });

  it('of committed frames is encoded once for all readers', () => {
    for (const seqs of [
      [1, 2],
      [1, 2, 3, 4, 5],
    ]) {
      const event = { kind: 'frames', frames: seqs.map((seq) => ({ ...frame, seq })) } as const;
      const texts = seqs.map(
        (seq) =>
          `{"type":"stream_block","id":"f_s_${seq}","timestamp":1,"session_id":"s","seq":${seq},"correlation_id":"i","payload":{"content":"é"}}`,
      );
      expect(encodeEvent(event)).toEqual(seqs.length < 5 ? texts : joinFrames(texts));
      expect(encodeEvent(event)).toBe(encodeEvent(event));
    }
  });
});
