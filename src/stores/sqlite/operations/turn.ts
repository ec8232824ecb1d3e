import type { TurnStore } from '../../../core/store/index.js';
import {
  packFinish,
  packHistoryRow,
  packJoin,
  packMessage,
  packWrite,
  unpackFrames,
  unpackHistoryRow,
  unpackMessage,
  unpackWritten,
  type PackedFinish,
  type PackedJoin,
  type PackedWrite,
  type WrittenFrom,
} from '../thread/packing.js';
import { isDefined, packedRead, packedWrite, read, same, type Rows } from './row.js';

export const TURN_ROWS: Rows<Omit<TurnStore, 'finishThen'>> = {
  append: packedWrite<TurnStore['append'], PackedWrite, WrittenFrom>(
    {
      pack: packWrite,
      run: ({ turns }, messageRef, epoch, frames, journal) =>
        turns.append({ messageRef, epoch }, { frames: unpackFrames(frames, messageRef), journal }),
      unpack: (from, all) => unpackWritten(from, ...all),
    },
    { before: 'block.mid_batch' },
    isDefined,
  ),
  finish: packedWrite<TurnStore['finish'], PackedFinish, WrittenFrom>(
    {
      pack: packFinish,
      run: ({ turns, approvals, now }, messageRef, epoch, frames, journal, end) => {
        const [status, reply, expiredCalls = [], loggedBlocks] = end;
        const from = turns.finish(
          { messageRef, epoch },
          { frames: unpackFrames(frames, messageRef), journal },
          { status, reply },
          loggedBlocks,
        );
        if (from !== undefined) for (const callId of expiredCalls) approvals.expire(now, callId);
        return from;
      },
      unpack: (from, all) => unpackWritten(from, ...all),
    },
    { before: 'finish.before_commit', after: 'finish.after_commit' },
    isDefined,
  ),
  join: packedWrite<TurnStore['join'], PackedJoin, WrittenFrom | 'changed'>({
    pack: packJoin,
    run: ({ turns }, messageRef, epoch, frames, journal, ended) =>
      turns.join({ messageRef, epoch }, { frames: unpackFrames(frames, messageRef), journal }, ended),
    unpack: (from, all) => (from === 'changed' ? { kind: 'changed' } : unpackWritten(from, ...all)),
  }),
  listWaiting: packedRead({
    pack: same<Parameters<TurnStore['listWaiting']>>,
    run: ({ queue }, sessionId) => queue.listWaiting(sessionId).map(packMessage),
    unpack: (messages) => messages.map(unpackMessage),
  }),
  readTurn: read(({ turns }, messageRef) => turns.readTurn(messageRef)),
  readContext: packedRead({
    pack: same<Parameters<TurnStore['readContext']>>,
    run: ({ turns }, ...all) => turns.readContext(...all).map(packHistoryRow),
    unpack: (messages) => messages.map(unpackHistoryRow),
  }),
};
