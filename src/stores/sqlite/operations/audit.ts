import type { AuditStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const AUDIT_ROWS: Rows<AuditStore> = {
  recordAudit: write(({ audit, now }, note) => audit.add(now, note)),
  listAudit: read(({ audit }, query) => audit.list(query)),
  readAuditChain: read(({ audit }, ...all) => audit.readChain(...all)),
  eraseAuditPerson: write(({ audit, now }, ...all) => audit.erase(now, ...all)),
  readAuditHead: read(({ audit }) => audit.readHead()),
};
