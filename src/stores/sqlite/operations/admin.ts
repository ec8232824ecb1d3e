import type { AdminStore } from '../../../core/store/index.js';
import { packHistoryRow, unpackHistoryRow } from '../thread/packing.js';
import { packedRead, read, same, write, type Rows } from './row.js';

export const ADMIN_ROWS: Rows<AdminStore> = {
  listWaitingMessages: read(({ admin }, query) => admin.listWaitingMessages(query)),
  countActiveSessions: read(({ admin, now }, query) => admin.countActiveSessions(now, query)),
  findMessageLife: packedRead({
    pack: same<Parameters<AdminStore['findMessageLife']>>,
    run: ({ admin }, ...all) => {
      const life = admin.findMessageLife(...all);
      return life && { ...life, message: packHistoryRow(life.message) };
    },
    unpack: (life) => life && { ...life, message: unpackHistoryRow(life.message) },
  }),
  listApprovals: read(({ approvals }, query) => approvals.list(query)),
  listSessions: read(({ lists }, query) => lists.list(query)),
  listPeople: read(({ lists }, query) => lists.listPeople(query)),
  deleteSession: write(({ admin, now }, ...all) => admin.deleteSession(now, ...all)),
  readForward: packedRead({
    pack: same<Parameters<AdminStore['readForward']>>,
    run: ({ admin }, ...all) => admin.readForward(...all).map(packHistoryRow),
    unpack: (messages) => messages.map(unpackHistoryRow),
  }),
  readCurrentContext: packedRead({
    pack: same<Parameters<AdminStore['readCurrentContext']>>,
    run: ({ admin }, ...all) => admin.readCurrentContext(...all).map(packHistoryRow),
    unpack: (messages) => messages.map(unpackHistoryRow),
  }),
  erasePerson: write(({ erasure, now }, request) => erasure.erase(now, request)),
};
