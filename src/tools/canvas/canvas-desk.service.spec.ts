import { describe, expect, it } from 'vitest';
import { CanvasService } from '../../core/canvas/canvas.service.js';
import { ManualClock } from '../../testing/manual-clock.js';
import type { AddedBlock } from '../../core/tools/tool.js';
import { QUESTION_CHANNEL } from '../../core/sessions/question-channel.js';
import { CanvasDeskService, type CanvasCall } from './canvas-desk.service.js';

/** Stores nothing: each state is the next version. */
class CountingCanvas {
  version = 0;
  readonly find = async () => ({ surfaceId: 's', version: this.version, since: 1, kind: 'html', callId: 'before' });
  readonly save = async (_: unknown, change: object) => ({
    ...change,
    version: ++this.version,
    since: 1,
    isClosed: false,
  });
  readonly countReaders = () => 0;
  readonly makeLink = async () => undefined;
  readonly listProblems = () => [];
}

function makeDesk() {
  const clock = new ManualClock();
  const canvas = new CountingCanvas();
  const desk = new CanvasDeskService(canvas as unknown as CanvasService, clock);
  const blocks: AddedBlock[] = [];
  let calls = 0;
  const call = (changes: object = {}): CanvasCall =>
    ({
      callId: `c_${++calls}`,
      session: { id: 's_1', channel: 'test' },
      turn: { messageRef: 'm_1', addBlock: (block: AddedBlock) => void blocks.push(block) },
      signal: new AbortController().signal,
      ...changes,
    }) as unknown as CanvasCall;
  return { clock, desk, blocks, call };
}

describe('CanvasDeskService', () => {
  it('[Y-05] ends an answer that draws without end', async () => {
    const { clock, desk, blocks, call } = makeDesk();
    for (let i = 0; i < 1_000; i++) {
      clock.advance(1_000);
      await desk.update('s', { html: 'x' }, call());
    }
    clock.advance(1_000);
    await expect(desk.update('s', { html: 'x' }, call())).rejects.toThrow('this answer has shown 1000 states');
    expect(blocks).toHaveLength(1_000);
    const next = { turn: { messageRef: 'm_2', addBlock: () => {} } };
    await expect(desk.update('s', { html: 'x' }, call(next))).resolves.toMatchObject({ version: 1_001 });
  });

  it('[Y-05] draws in a conversation with a person only', async () => {
    const { desk, call } = makeDesk();
    const drawing = { html: 'x' };
    await expect(desk.show('s', 'html', drawing, call({ turn: undefined }))).rejects.toThrow('in a conversation only');
    const asked = { session: { id: 's_2', channel: QUESTION_CHANNEL } };
    await expect(desk.show('s', 'html', drawing, call(asked))).rejects.toThrow('does not see this conversation');
  });
});
