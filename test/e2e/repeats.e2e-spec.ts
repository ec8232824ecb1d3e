import { afterEach, beforeEach, expect, it } from 'vitest';
import { GatewayApp } from '../support/gateway-app.js';

let gateway: GatewayApp;
beforeEach(async () => void (gateway = await GatewayApp.start()));
afterEach(() => gateway.close());

it('[M-14] a repeated message subscribes its sender again, and missed frames are read with resume', async () => {
  const message = { channel: 'test', sender: 'alice', content: '/blocks 3 60000' };
  const lost = await gateway.connect('driver');
  lost.send('message_in', message, { id: 'once' });
  const { session_id } = await lost.next('stream_block');
  lost.socket.terminate();
  await lost.ended;

  const back = await gateway.connect('driver');
  back.send('message_in', message, { id: 'once' });
  expect((await back.next('message_ack')).payload).toMatchObject({ status: 'duplicate' });
  const other = await gateway.connect('other');
  other.send('cancel', {}, { session_id });
  expect((await back.next('stream_end')).payload).toMatchObject({ id: 'once', reason: 'cancelled', blocks: 1 });
  expect(back.unread).toEqual([]);

  back.send('resume', { sessions: [{ session_id, after_seq: 0 }] });
  expect((await back.next('resumed')).payload).toMatchObject({ from_seq: 1, head_seq: 2, complete: true });
  expect([(await back.next('stream_block')).seq, (await back.next('stream_end')).seq]).toEqual([1, 2]);
});
