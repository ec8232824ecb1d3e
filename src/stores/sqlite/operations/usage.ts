import type { UsageStore } from '../../../core/store/index.js';
import { read, type Rows } from './row.js';

export const USAGE_ROWS: Rows<UsageStore> = {
  sumUsage: read(({ usage }, ...all) => usage.sum(...all)),
  listSenderUsage: read(({ usage }, query) => usage.listSenders(query)),
  countQueuedSince: read(({ usage }, ...all) => usage.countQueuedSince(...all)),
  listTenants: read(({ usage }) => usage.listTenants()),
};
