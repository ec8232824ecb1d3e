import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginReply,
  interruptReply,
  takeDelta,
  takeFrame,
  takeHistory,
  type ReplyFrame,
  type ReplyState,
} from './reply-state.js';

const NAMES = { message_id: 'id', message_ref: 'm' };
const contents = ({ standing }: ReplyState) => standing.map(({ block }) => block.content);
const foldLog = (log: readonly ReplyFrame[]) =>
  log.reduce((reply, frame) => takeFrame(reply, frame, false), beginReply());

const block = (seq: number, index: number, block_id: string, content: string): ReplyFrame => ({
  type: 'stream_block',
  seq,
  payload: { ...NAMES, attempt: 1, index, block_id, block_type: 'text', content },
});
const restart = (seq: number, replaces_from_seq: number): ReplyFrame => ({
  type: 'stream_restart',
  seq,
  payload: { ...NAMES, attempt: 2, replaces_from_seq },
});
const tool = (seq: number, status: 'running' | 'succeeded'): ReplyFrame => ({
  type: 'tool_status',
  seq,
  payload: { ...NAMES, call_id: 'c', tool: 't', status },
});
const end = (seq: number, blocks: number): ReplyFrame => ({
  type: 'stream_end',
  seq,
  payload: { id: 'id', message_ref: 'm', reason: 'stop', blocks },
});

/** The actions of the gateway, in order: `delta` sends a piece of the growing block, all others append to the log. */
type Act =
  | { readonly kind: 'delta'; readonly blockId: string; readonly delta: string }
  | { readonly kind: 'frame'; readonly frame: ReplyFrame };

/** Generates a whole reply: blocks that grow piece by piece, tool calls, restarts, the end. */
const script = fc
  .array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant('block' as const), size: fc.integer({ min: 1, max: 4 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('tool' as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('restart' as const), keep: fc.nat(4), half: fc.boolean() }),
      },
    ),
    { maxLength: 12 },
  )
  .map((steps) => {
    const acts: Act[] = [];
    const log: ReplyFrame[] = [];
    const append = (frame: ReplyFrame) => {
      log.push(frame);
      acts.push({ kind: 'frame', frame });
    };
    let blocks = 0;
    const grow = (size: number) => {
      const blockId = `b${blocks++}`;
      for (let i = 0; i < size; i++) acts.push({ kind: 'delta', blockId, delta: `${blockId}.${i} ` });
      return { blockId, content: Array.from({ length: size }, (_, i) => `${blockId}.${i} `).join('') };
    };
    for (const step of steps) {
      const { standing } = foldLog(log);
      const seq = log.length + 1;
      if (step.kind === 'tool') append(tool(seq, 'running'));
      else if (step.kind === 'block') {
        const { blockId, content } = grow(step.size);
        append(block(seq, standing.length, blockId, content));
      } else {
        // A block that is incomplete when its turn is interrupted is never stored.
        if (step.half) grow(2);
        append(restart(seq, standing[step.keep]?.seq ?? seq));
      }
    }
    append(end(log.length + 1, foldLog(log).standing.length));
    return acts;
  });

const disturbance = fc.constantFrom('none', 'none', 'none', 'cut', 'resume', 'ask', 'page', 'again');

/** A reader of one reply: it follows the log live, loses its connection, resumes, and reads history pages, even late ones. */
class Reader {
  reply: ReplyState;
  readonly log: ReplyFrame[] = [];
  readonly #pages: { readonly history: Parameters<typeof takeHistory>[1]; readonly headSeq: number }[] = [];
  #isConnected: boolean;
  #position = 0;

  constructor(fromTheBeginning: boolean) {
    this.reply = beginReply(fromTheBeginning);
    this.#isConnected = fromTheBeginning;
  }

  observe(act: Act): void {
    if (act.kind === 'frame') this.log.push(act.frame);
    if (!this.#isConnected) return;
    if (act.kind === 'frame') this.#take(act.frame, true);
    else this.reply = takeDelta(this.reply, { block_id: act.blockId, block_type: 'text', delta: act.delta });
  }

  disturb(how: string): void {
    if (how === 'cut') {
      this.#isConnected = false;
      this.reply = interruptReply(this.reply);
    } else if (how === 'resume' && !this.#isConnected) this.resume();
    else if (how === 'ask') {
      const { standing, end: ended } = foldLog(this.log);
      const history = { blocks: standing.map((each) => each.block), ...(ended && { end: { ...ended, ended_at: 1 } }) };
      this.#pages.push({ history, headSeq: this.log.length });
    } else if (how === 'page') {
      const page = this.#pages.shift();
      if (page) this.reply = takeHistory(this.reply, page.history, page.headSeq);
    } else if (how === 'again') {
      // As after a reload, when the log is read from further back for tool states.
      for (const frame of this.log.slice(0, this.#position)) this.reply = takeFrame(this.reply, frame, false);
    }
  }

  resume(): void {
    this.#isConnected = true;
    for (const frame of this.log.slice(this.#position)) this.#take(frame, false);
  }

  #take(frame: ReplyFrame, isLive: boolean): void {
    this.#position = frame.seq;
    this.reply = takeFrame(this.reply, frame, isLive);
  }
}

describe('a reply', () => {
  it('[K-10] equals that of the log, for any mixture of frames, deltas, resumes and history pages', () => {
    const reading = fc.record({
      acts: script,
      fromTheBeginning: fc.boolean(),
      disturbances: fc.array(disturbance, { minLength: 60, maxLength: 60 }),
    });
    fc.assert(
      fc.property(reading, ({ acts, fromTheBeginning, disturbances }) => {
        const whole = new Map(
          acts.filter((act) => act.kind === 'delta').map(({ blockId }) => [blockId, contentOf(acts, blockId)]),
        );
        const reader = new Reader(fromTheBeginning);
        acts.forEach((act, i) => {
          reader.disturb(disturbances[i] ?? 'none');
          reader.observe(act);
          const { growing, stale, upTo, standing } = reader.reply;
          const unfinished = [...growing, ...stale];
          // No reader ever shows a block without its beginning, or twice.
          for (const { block_id, content } of unfinished)
            expect(whole.get(block_id)).toMatch(new RegExp(`^${content}`));
          const shown = [...standing.map((each) => each.block), ...unfinished].map(({ block_id }) => block_id);
          expect(shown).toEqual([...new Set(shown)]);
          const last = reader.log[upTo - 1];
          // Between a restart and the next block, blocks from the history may still be shown.
          if (last?.type !== 'stream_restart' && standing.every(({ seq }) => seq > 0))
            expect(contents(reader.reply)).toEqual(contents(foldLog(reader.log.slice(0, upTo))));
        });
        reader.disturb('cut');
        reader.resume();
        expect(contents(reader.reply)).toEqual(contents(foldLog(reader.log)));
        expect(reader.reply).toMatchObject({ growing: [], stale: [], end: { reason: 'stop' } });
      }),
      { numRuns: 300 },
    );
  });

  it('drops the blocks that a restart replaces, and the growing one', () => {
    let reply = [block(1, 0, 'a', 'a'), block(2, 1, 'b', 'b'), block(3, 2, 'c', 'c')].reduce(
      (before, frame) => takeFrame(before, frame, true),
      beginReply(true),
    );
    reply = takeDelta(reply, { block_id: 'd', block_type: 'text', delta: 'begun' });
    reply = takeFrame(reply, restart(4, 2), true);

    expect([contents(reply), reply.growing]).toEqual([['a'], []]);
  });

  it('ignores deltas of a block whose beginning it may have missed, until it has seen a live frame', () => {
    const delta = { block_id: 'a', block_type: 'text', delta: 'rest' } as const;
    const late = beginReply();
    expect(takeDelta(late, delta)).toBe(late);
    expect(takeDelta(takeFrame(late, tool(1, 'running'), false), delta).growing).toEqual([]);
    const live = takeDelta(takeFrame(late, tool(1, 'running'), true), delta);
    expect(live.growing).toMatchObject([{ content: 'rest' }]);
    expect(takeDelta(interruptReply(live), delta).growing).toEqual([]);
  });

  it('[K-10] keeps what has arrived of a block when deltas are missed, until the log goes on', () => {
    const begun = takeDelta(beginReply(true), { block_id: 'a', block_type: 'text', delta: 'beg' });
    const lost = interruptReply(interruptReply(begun));
    expect([lost.growing, lost.stale]).toEqual([[], begun.growing]);
    const back = takeFrame(lost, tool(1, 'running'), true);
    expect(takeDelta(back, { block_id: 'a', block_type: 'text', delta: 'un' })).toBe(back);
    expect(takeHistory(lost, { blocks: [] }, 1).stale).toEqual(begun.growing);
    const whole = { block_id: 'a', block_type: 'text', content: 'begun' } as const;
    const isBegunAgain = takeFrame(lost, block(1, 0, 'other', 'x'), false);
    const over = [
      isBegunAgain,
      takeHistory(lost, { blocks: [whole] }, 1),
      takeFrame(lost, block(1, 0, 'a', 'begun'), false),
      takeFrame(lost, restart(1, 1), false),
      takeFrame(lost, end(1, 0), false),
    ];
    expect(over.map(({ stale }) => stale)).toEqual([[], [], [], [], []]);
    const two = interruptReply(takeDelta(begun, { block_id: 'b', block_type: 'text', delta: 'two' }));
    expect(takeFrame(two, block(1, 0, 'a', 'begun'), false).stale).toMatchObject([{ content: 'two' }]);
  });

  it('ignores a history page older than its frames, and keeps tool states', () => {
    const read = [tool(1, 'running'), block(2, 0, 'a', 'a')].reduce(
      (before, frame) => takeFrame(before, frame, false),
      beginReply(),
    );
    expect(takeHistory(read, { blocks: [] }, 1)).toBe(read);
    const reply = takeHistory(beginReply(), { blocks: [{ block_id: 'a', block_type: 'text', content: 'a' }] }, 2);
    expect(takeFrame(reply, tool(1, 'running'), false).tools.get('c')?.status).toBe('running');
    expect(contents(takeFrame(reply, block(2, 0, 'a', 'a'), false))).toEqual(['a']);
  });
});

function contentOf(acts: readonly Act[], blockId: string): string {
  return acts.flatMap((act) => (act.kind === 'delta' && act.blockId === blockId ? act.delta : [])).join('');
}
