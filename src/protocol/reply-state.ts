import type { StreamBlock } from './blocks.js';
import type { StreamBlockPayload, StreamEndPayload, StreamRestartPayload, ToolStatusPayload } from './log.js';
import type { HistoryMessage, StreamDeltaPayload } from './outbound.js';

/** A block that no restart has replaced. `seq` is its seq in the log, or 0 when it is known only from the history. */
export interface StandingBlock {
  readonly seq: number;
  readonly block: StreamBlock;
}

/** The end of a reply: the fields that frames and the history have in common. */
export type ReplyEnd = Pick<StreamEndPayload, 'reason' | 'usage' | 'error'>;

/**
 * One reply as a reader of a session's log knows it. Immutable: each function below returns the next state, or the same
 * object when nothing has changed.
 *
 * Every reader of the log folds it with these functions: the core, the client, the page and the test doubles. Frames,
 * deltas and history pages may arrive in any mixture; the standing blocks are always those of the log.
 */
export interface ReplyState {
  readonly standing: readonly StandingBlock[];
  /** Blocks of which only deltas have arrived, oldest first. */
  readonly growing: readonly StreamBlock[];
  /**
   * The received parts of blocks when deltas were missed, oldest first. They are not part of the log, and stay until
   * its next block, restart or end.
   */
  readonly stale: readonly StreamBlock[];
  /** The newest status of each tool call, by call id. The history does not contain them. */
  readonly tools: ReadonlyMap<string, ToolStatusPayload>;
  readonly end: ReplyEnd | undefined;
  /** The seq up to which the log is taken in, by frames or by a history page. */
  readonly upTo: number;
  /**
   * True when the reader has seen every delta of the blocks to come. Deltas have no offset, so a delta must not be
   * shown when its block may have started unseen.
   */
  readonly hasAllDeltas: boolean;
}

/** A durable frame about one message, with its payload parsed. */
export type ReplyFrame =
  | { readonly type: 'stream_block'; readonly seq: number; readonly payload: StreamBlockPayload }
  | { readonly type: 'stream_restart'; readonly seq: number; readonly payload: StreamRestartPayload }
  | { readonly type: 'tool_status'; readonly seq: number; readonly payload: ToolStatusPayload }
  | { readonly type: 'stream_end'; readonly seq: number; readonly payload: StreamEndPayload };

/**
 * Creates the state of a reply that has not been read. `hasAllDeltas`: the reader has followed the session since before
 * the reply.
 */
export function beginReply(hasAllDeltas = false): ReplyState {
  return { standing: [], growing: [], stale: [], tools: new Map(), end: undefined, upTo: 0, hasAllDeltas };
}

/**
 * Takes a frame of the log; frames must arrive in order. A frame that a history page already covered changes only the
 * state of its tool.
 * @param isLive true when it was written while the reader followed the session, false when it was read from the log
 */
export function takeFrame(state: ReplyState, frame: ReplyFrame, isLive: boolean): ReplyState {
  if (frame.seq <= state.upTo) {
    return frame.type === 'tool_status' && !state.end ? { ...state, tools: withStatus(state, frame.payload) } : state;
  }
  return { ...applyFrame(state, frame), upTo: frame.seq, hasAllDeltas: state.hasAllDeltas || isLive };
}

/** Takes a delta, unless its block may have started unseen. Deltas overtake earlier blocks, so several can grow. */
export function takeDelta(
  state: ReplyState,
  payload: Omit<StreamDeltaPayload, 'message_id' | 'message_ref'>,
): ReplyState {
  if (!state.hasAllDeltas || state.end) return state;
  const { block_id, block_type, delta } = payload;
  // The deltas in between were missed.
  if (state.stale.some((block) => block.block_id === block_id)) return state;
  const place = state.growing.findIndex((block) => block.block_id === block_id);
  const content = (state.growing[place]?.content ?? '') + delta;
  const growing = [...state.growing];
  growing[place < 0 ? growing.length : place] = { block_id, block_type, content };
  return { ...state, growing };
}

/**
 * Takes the message from a history page, unless frames already cover as much.
 * @param headSeq the `head_seq` of the page
 */
export function takeHistory(
  state: ReplyState,
  message: Pick<HistoryMessage, 'blocks' | 'end'>,
  headSeq: number,
): ReplyState {
  // A reader with all deltas also has all frames: those that the page is ahead are on their way.
  if (headSeq < state.upTo || (state.hasAllDeltas && !message.end)) return state;
  const standing = message.blocks.map((block, index) => {
    const known = state.standing[index];
    return known && isSameBlock(known.block, block) ? known : { seq: 0, block };
  });
  const end = message.end && endOf(message.end);
  const isNew = standing.length !== state.standing.length || standing.some((each, i) => each !== state.standing[i]);
  const stale = end ? [] : isNew ? after(state.stale, message.blocks) : state.stale;
  return { ...state, standing, growing: [], stale, end, upTo: headSeq };
}

/**
 * Marks that frames and deltas may be missed from here on: the connection was lost, or the log is read from another
 * position. What has arrived of growing blocks becomes stale.
 */
export function interruptReply(state: ReplyState): ReplyState {
  return { ...state, hasAllDeltas: false, growing: [], stale: [...state.stale, ...state.growing] };
}

/** Returns true when two blocks have the same id and content. */
export function isSameBlock(a: StreamBlock, b: StreamBlock): boolean {
  return a.block_id === b.block_id && a.content === b.content;
}

function applyFrame(state: ReplyState, frame: ReplyFrame): ReplyState {
  switch (frame.type) {
    case 'stream_block': {
      const { index, block_id, block_type, content, metadata } = frame.payload;
      const block = { block_id, block_type, content, ...(metadata && { metadata }) };
      // Truncating at the index also drops what a restart could not: blocks from the history have no seq.
      const standing = [...state.standing.slice(0, index), { seq: frame.seq, block }];
      const growing = state.growing.filter((each) => each.block_id !== block_id);
      return { ...state, standing, growing, stale: after(state.stale, [block]) };
    }
    case 'stream_restart': {
      const first = state.standing.findIndex(({ seq }) => seq >= frame.payload.replaces_from_seq);
      return {
        ...state,
        standing: first < 0 ? state.standing : state.standing.slice(0, first),
        growing: [],
        stale: [],
      };
    }
    case 'tool_status':
      return { ...state, tools: withStatus(state, frame.payload) };
    case 'stream_end':
      return {
        ...state,
        standing: state.standing.slice(0, frame.payload.blocks),
        growing: [],
        stale: [],
        end: endOf(frame.payload),
      };
  }
}

/** Returns the stale blocks after the last that is complete. Without one an answer was begun again: none will come. */
function after(stale: readonly StreamBlock[], complete: readonly StreamBlock[]): readonly StreamBlock[] {
  const last = stale.map(({ block_id }) => complete.some((each) => each.block_id === block_id)).lastIndexOf(true);
  return last < 0 ? [] : stale.slice(last + 1);
}

function withStatus({ tools }: ReplyState, status: ToolStatusPayload): ReplyState['tools'] {
  return new Map(tools).set(status.call_id, status);
}

function endOf({ reason, usage, error }: ReplyEnd): ReplyEnd {
  return { reason, ...(usage && { usage }), ...(error && { error }) };
}
