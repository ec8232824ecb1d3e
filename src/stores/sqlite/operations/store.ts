import type { Store } from '../../../core/store/index.js';
import { SweepBudget } from '../sql/sweep-budget.js';
import { packedWrite, same, write, type Rows } from './row.js';

/** The rows of the store as a whole. Its other methods concern the process, not the database. */
export const STORE_ROWS: Rows<Pick<Store, 'check' | 'sweep'>> = {
  sweep: write((parts, limits) => {
    const { now, sweeper } = parts;
    const budget = new SweepBudget();
    return (
      sweeper.sweep(now, limits, budget) ||
      parts.approvals.sweep(limits.approvalsBefore, budget) ||
      parts.canvas.sweep(now, budget) ||
      parts.admin.sweep(limits.dedupeBefore, budget) ||
      parts.channels.sweep(limits, budget) ||
      parts.credentials.sweep(now, budget) ||
      parts.signIns.sweep(now, budget) ||
      parts.cron.sweep(now, budget, (sessionId) => sweeper.end(sessionId, budget)) ||
      parts.nodes.sweep(now, budget) ||
      parts.nodeTraffic.sweep(now, limits, budget) ||
      parts.usage.sweep(now, budget) ||
      parts.audit.sweep(now, limits.auditBefore, budget)
    );
  }),
  check: packedWrite<Store['check'], [], boolean>(
    { pack: same, run: ({ heartbeat, now }) => heartbeat.check(now), unpack: () => {} },
    {},
    (hasWritten) => hasWritten,
  ),
};
