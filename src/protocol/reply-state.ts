import type { StreamBlock } from './blocks.js';
import type { StreamBlockPayload, StreamEndPayload, StreamRestartPayload, ToolStatusPayload } from './log.js';
import type { HistoryMessage, StreamDeltaPayload } from './outbound.js';

/** A block that no restart has replaced. `seq` is its place in the log, or 0 when only the history is known to hold it. */
export interface StandingBlock {
  readonly seq: number;
  readonly block: StreamBlock;
}

/** How a reply ended, in a form that frames and the history have in common. */
export type ReplyEnd = Pick<StreamEndPayload, 'reason' | 'usage' | 'error'>;

/**
 * One reply as a reader of a session's log knows it. Immutable: each function below returns the next state, or the same
 * object when nothing has changed.
 *
 * Every reader of the log folds it with these functions: the core, the client, the page and the test doubles. Frames,
 * deltas and history pages may come in any mixture; the blocks that stand are those of the log alone.
 */
export interface ReplyState {
  readonly standing: readonly StandingBlock[];
  /** Blocks of which only deltas have come, oldest first, as far as they have come. */
  readonly growing: readonly StreamBlock[];
  /** The newest status of each tool call, by call id. The history does not carry them. */
  readonly tools: ReadonlyMap<string, ToolStatusPayload>;
  readonly end: ReplyEnd | undefined;
  /** The log is taken in up to this seq, by frames or by a history page. */
  readonly upTo: number;
  /**
   * Whether the reader has seen every delta of the blocks to come. Deltas carry no offset, so one whose block may have
   * begun unseen must not be shown.
   */
  readonly hasAllDeltas: boolean;
}

/** A durable frame about one message, with its payload parsed. */
export type ReplyFrame =
  | { readonly type: 'stream_block'; readonly seq: number; readonly payload: StreamBlockPayload }
  | { readonly type: 'stream_restart'; readonly seq: number; readonly payload: StreamRestartPayload }
  | { readonly type: 'tool_status'; readonly seq: number; readonly payload: ToolStatusPayload }
  | { readonly type: 'stream_end'; readonly seq: number; readonly payload: StreamEndPayload };

/** A reply of which nothing has been read. `hasAllDeltas`: when the reader has followed the session since before it. */
export function beginReply(hasAllDeltas = false): ReplyState {
  return { standing: [], growing: [], tools: new Map(), end: undefined, upTo: 0, hasAllDeltas };
}

/**
 * Takes a frame of the log, each in order. A frame that a history page covered already changes nothing but the state of
 * its tool.
 * @param isLive whether it was written while the reader followed the session, rather than read again from the log
 */
export function takeFrame(state: ReplyState, frame: ReplyFrame, isLive: boolean): ReplyState {
  if (frame.seq <= state.upTo) {
    return frame.type === 'tool_status' && !state.end ? { ...state, tools: withStatus(state, frame.payload) } : state;
  }
  return { ...applyFrame(state, frame), upTo: frame.seq, hasAllDeltas: state.hasAllDeltas || isLive };
}

/** Takes a delta, unless its block may have begun unseen. Deltas overtake the blocks before theirs, so several can grow. */
export function takeDelta(
  state: ReplyState,
  payload: Omit<StreamDeltaPayload, 'message_id' | 'message_ref'>,
): ReplyState {
  if (!state.hasAllDeltas || state.end) return state;
  const { block_id, block_type, delta } = payload;
  const place = state.growing.findIndex((block) => block.block_id === block_id);
  const content = (state.growing[place]?.content ?? '') + delta;
  return {
    ...state,
    growing: state.growing.toSpliced(place < 0 ? Infinity : place, 1, { block_id, block_type, content }),
  };
}

/**
 * Takes what a history page says of the message, unless frames have told as much or more.
 * @param headSeq the `head_seq` of the page
 */
export function takeHistory(
  state: ReplyState,
  told: Pick<HistoryMessage, 'blocks' | 'end'>,
  headSeq: number,
): ReplyState {
  // Without a gap in deltas there is none in frames either: those that the page is ahead are on their way.
  if (headSeq < state.upTo || (state.hasAllDeltas && !told.end)) return state;
  const standing = told.blocks.map((block, index) => {
    const known = state.standing[index];
    return known && isSameBlock(known.block, block) ? known : { seq: 0, block };
  });
  const end = told.end && endOf(told.end);
  return { ...state, standing, growing: [], end, upTo: headSeq };
}

/** Frames and deltas may be missed from here on: the connection was lost, or the log is read from another place. */
export function interruptReply(state: ReplyState): ReplyState {
  return { ...state, hasAllDeltas: false, growing: [] };
}

/** Whether two blocks say the same under the same id. */
export function isSameBlock(a: StreamBlock, b: StreamBlock): boolean {
  return a.block_id === b.block_id && a.content === b.content;
}

function applyFrame(state: ReplyState, frame: ReplyFrame): ReplyState {
  switch (frame.type) {
    case 'stream_block': {
      const { index, block_id, block_type, content, metadata } = frame.payload;
      const block = { block_id, block_type, content, ...(metadata && { metadata }) };
      // The index also drops what a restart could not: blocks known from the history have no seq.
      const standing = [...state.standing.slice(0, index), { seq: frame.seq, block }];
      return { ...state, standing, growing: state.growing.filter((each) => each.block_id !== block_id) };
    }
    case 'stream_restart': {
      const first = state.standing.findIndex(({ seq }) => seq >= frame.payload.replaces_from_seq);
      return { ...state, standing: first < 0 ? state.standing : state.standing.slice(0, first), growing: [] };
    }
    case 'tool_status':
      return { ...state, tools: withStatus(state, frame.payload) };
    case 'stream_end':
      return {
        ...state,
        standing: state.standing.slice(0, frame.payload.blocks),
        growing: [],
        end: endOf(frame.payload),
      };
  }
}

function withStatus({ tools }: ReplyState, status: ToolStatusPayload): ReplyState['tools'] {
  return new Map(tools).set(status.call_id, status);
}

function endOf({ reason, usage, error }: ReplyEnd): ReplyEnd {
  return { reason, ...(usage && { usage }), ...(error && { error }) };
}
