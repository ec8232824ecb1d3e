import { defineSettings } from '../config/section.js';
import { count } from '../config/setting-kinds.js';

/** Rates and numbers of connections. */
export const limitSettings = defineSettings({
  'limits.messages_per_minute': count(600, 'Messages a minute for one client (for role channel: for one sender).'),
  'limits.connections_per_address': count(200, 'Open connections from one address.'),
});
