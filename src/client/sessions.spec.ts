import { beforeEach, describe, expect, it } from 'vitest';
import {
  ClientHarness,
  HELLO,
  acknowledge,
  block,
  contents,
  end,
  readAll,
  refusal,
  resumed,
} from '../testing/client-harness.js';
import type { Reply } from './reply.js';

let harness: ClientHarness;
beforeEach(() => {
  harness = new ClientHarness();
});

describe('the order of frames', () => {
  it('[K-06] drops a duplicate frame', async () => {
    const { socket, reply } = harness.startReply();
    for (const frame of [block('a', 1, 0), block('a', 1, 0), block('a', 2, 1), block('a', 1, 0), end('a', 3)])
      socket.deliver(frame);

    expect((await readAll(reply)).map((event) => event.type)).toEqual(['block', 'block', 'end']);
  });

  it('[K-06] fills a gap by a resume', async () => {
    const { socket, reply } = harness.startReply();
    socket.deliver(block('a', 1, 0));
    socket.deliver(block('a', 3, 2));
    socket.deliver(end('a', 4));
    const resumes = socket.sentOf('resume').map((frame) => frame.payload);
    expect(resumes).toEqual([{ sessions: [{ session_id: 's1', after_seq: 1, epoch: 'e1' }] }]);

    socket.deliver(resumed(2, 4));
    for (const frame of [block('a', 2, 1), block('a', 3, 2), end('a', 4)]) socket.deliver(frame);
    expect(await contents(reply)).toEqual(['block 0', 'block 1', 'block 2']);
  });

  it('resumes again after the delay that the gateway requests', () => {
    const socket = harness.connect();
    harness.sendAccepted(socket, 'a');
    socket.deliver(block('a', 1, 0));
    socket.deliver(block('a', 3, 2));
    const [request] = socket.sentOf('resume');
    socket.deliver(refusal(request!.id, 'STORE_UNAVAILABLE', { retryable: true, retry_after_ms: 700 }));
    harness.clock.advance(700);

    expect(socket.sentOf('resume').map((frame) => frame.payload)).toEqual([request!.payload, request!.payload]);
  });

  it('starts from the history when the gateway has fewer frames than the client', () => {
    const socket = harness.connect();
    harness.sendAccepted(socket, 'a');
    socket.deliver(block('a', 9, 0));
    const next = harness.reconnect();
    const stale = refusal(next.sentOf('resume')[0]!.id, 'STALE_RESUME', { details: { after_seq: 9, head_seq: 2 } });
    next.deliver({ ...stale, session_id: 's1' });

    expect(next.sentOf('history')).toHaveLength(1);
  });

  it('[S-13] resumes under the epoch in which the newest frame arrived', () => {
    const socket = harness.connect();
    harness.sendAccepted(socket, 'a');
    socket.deliver(block('a', 1, 0));
    const positions = (epoch: string) => {
      harness.sockets.last.drop();
      harness.clock.advance(500);
      const next = harness.sockets.last;
      next.deliverConnected({ server: { version: '1.0.0', replica_id: 'r', epoch } });
      return next.sentOf('resume').flatMap(({ payload }) => payload['sessions']);
    };
    expect(positions('e2')).toEqual([{ session_id: 's1', after_seq: 1, epoch: 'e1' }]);
    harness.sockets.last.deliver(resumed(2, 1));
    harness.sockets.last.deliver(block('a', 2, 1));
    expect(positions('e3')).toEqual([{ session_id: 's1', after_seq: 2, epoch: 'e2' }]);
  });

  it('resolves resume() when all sessions have responded', async () => {
    const socket = harness.connect();
    const answers = harness.client.resume([{ session_id: 's1', after_seq: 4 }]);
    socket.deliver(resumed(5, 6));

    expect(await answers).toMatchObject([{ session_id: 's1', from_seq: 5 }]);
  });

  it('rejects resume() of a session that the caller may not see', async () => {
    const socket = harness.connect();
    const answers = harness.client.resume([{ session_id: 's1', after_seq: 4 }]);
    socket.deliver({ ...refusal(socket.sentOf('resume')[0]!.id, 'NOT_FOUND'), session_id: 's1' });

    await expect(answers).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('offers replies to messages of other clients', async () => {
    const found: Reply[] = [];
    harness.client.on('reply', (reply) => found.push(reply));
    const socket = harness.connect();
    harness.client.resumeAll();
    expect(socket.sentOf('resume')[0]!.payload).toEqual({ sessions: [] });
    socket.deliver(resumed(1, 2));
    for (const frame of [block('z', 1, 0), block('z', 2, 1), end('z', 3)]) socket.deliver(frame);

    expect(found.map(({ id }) => id)).toEqual(['z']);
    expect(await contents(found[0]!)).toEqual(['block 0', 'block 1']);
  });

  it('gives a reply to both callers when it is requested again', async () => {
    const found: Reply[] = [];
    harness.client.on('reply', (reply) => found.push(reply));
    const socket = harness.connect();
    harness.client.resumeAll();
    socket.deliver(resumed(1, 1));
    socket.deliver(block('a', 1, 0));
    const again = harness.client.send(HELLO, { id: 'a' });
    acknowledge(socket, 'a', 'm-a', { status: 'duplicate' });
    const blocks = [{ block_id: 'a-1', block_type: 'text', content: 'block 0' }];
    const messages = [{ message_ref: 'm-a', message_id: 'a', status: 'running', blocks }];
    const question = socket.sentOf('history')[0]!;
    socket.deliver({ type: 'history', correlation_id: question.id, payload: { messages, head_seq: 1 } });
    await expect.poll(() => socket.sentOf('resume')).toHaveLength(2);
    socket.deliver(resumed(2, 1));
    socket.deliver(block('a', 2, 1));
    socket.deliver(end('a', 3));

    expect(await contents(found[0]!)).toEqual(['block 0', 'block 1']);
    expect(await contents(again)).toEqual(['block 0', 'block 1']);
  });

  it('refuses to send an id a second time before the first is acknowledged', () => {
    harness.client.send(HELLO, { id: 'a' });

    expect(() => harness.client.send(HELLO, { id: 'a' })).toThrow(TypeError);
  });
});
