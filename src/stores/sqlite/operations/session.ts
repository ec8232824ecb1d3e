import type { SessionStore } from '../../../core/store/index.js';
import { packHistoryRow, unpackHistoryRow } from '../thread/packing.js';
import { packedRead, read, same, write, type Rows } from './row.js';

export const SESSION_ROWS: Rows<SessionStore> = {
  findSession: read(({ sessions }, sessionId) => sessions.find(sessionId)),
  listParticipants: read(({ sessions }, sessionId) => sessions.listParticipants(sessionId)),
  isParticipant: read(({ sessions }, ...all) => sessions.isParticipant(...all)),
  findFounder: read(({ sessions }, sessionId) => sessions.findFounder(sessionId)),
  updateSession: write(({ sessions, now }, ...all) => sessions.update(now, ...all)),
  changeReaction: write(({ sessions }, ...all) => sessions.changeReaction(...all)),
  readHistory: packedRead({
    pack: same<Parameters<SessionStore['readHistory']>>,
    run: ({ sessions }, ...all) => {
      const { messages, ...page } = sessions.readHistory(...all);
      return { ...page, messages: messages.map(packHistoryRow) };
    },
    unpack: ({ messages, ...page }) => ({ ...page, messages: messages.map(unpackHistoryRow) }),
  }),
};
