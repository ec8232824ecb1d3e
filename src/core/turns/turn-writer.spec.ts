import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import type { LogWriterService } from '../delivery/log-writer.service.js';
import type { NewFrame, TurnEnd, TurnWrite } from '../store/index.js';
import { SilentLogs } from '../telemetry/logs.js';
import { TurnWriter } from './turn-writer.js';

const lease = { sessionId: 's', replicaId: 'r', epoch: 1, messageRef: 'm_1' };

/** A writer whose store notes the lengths of the payloads in each write. */
function setup() {
  const writes: number[][] = [];
  let seq = 0;
  const write = ({ frames }: TurnWrite) => {
    writes.push(frames.map(({ payload }) => payload.length));
    return Promise.resolve({
      kind: 'written',
      frames: frames.map((frame) => ({ ...frame, sessionId: 's', seq: ++seq })),
    } as const);
  };
  const logWriter = {
    append: (_: unknown, part: TurnWrite) => write(part),
    finish: (_: unknown, end: TurnEnd) => write(end),
  } as unknown as LogWriterService;
  const { signal } = new AbortController();
  const writer = new TurnWriter(lease, 0, logWriter, new ManualClock(), new SilentLogs().for(), signal);
  return { writer, writes };
}

const aFrame = (length: number): NewFrame => ({
  type: 'stream_block',
  messageRef: 'm_1',
  messageId: 'id',
  timestamp: 1,
  payload: 'x'.repeat(length),
});
const anEnd = { frames: [aFrame(1)], status: 'done', reply: '{}' } as const;

it('a write has at most 256 frames and 262,144 characters, or one frame', async () => {
  const { writer, writes } = setup();
  for (const length of [300_000, 100_000, 100_000, 100_000]) writer.add(aFrame(length));
  for (let n = 0; n < 300; n++) writer.add(aFrame(1));
  await writer.flush();
  expect(writes.map((lengths) => lengths.length)).toEqual([1, 2, 256, 45]);
});

it('writes at the end what is more than one write, in order, and the last of it with the end', async () => {
  const { writer, writes } = setup();
  for (const length of [200_000, 200_001, 2]) writer.add(aFrame(length));
  await writer.finish(anEnd);
  expect(writes).toEqual([[200_000], [200_001, 2, 1]]);
});

it('lets an agent wait when as much waits as one write takes', async () => {
  const { writer, writes } = setup();
  writer.add(aFrame(262_143));
  await writer.whenRoom();
  expect(writes).toEqual([]);
  writer.add(aFrame(1));
  await writer.whenRoom();
  expect(writes).toEqual([[262_143, 1]]);
});
