import type { ApprovalStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const APPROVAL_ROWS: Rows<ApprovalStore> = {
  openApproval: write(({ approvals }, approval) => approvals.open(approval)),
  findApproval: read(({ approvals }, ...all) => approvals.find(...all)),
  listPendingApprovals: read(({ approvals }, tenant) => approvals.listPending(tenant)),
  decideApproval: write(({ approvals, now }, ...all) => approvals.decide(now, ...all)),
};
