import { defineSettings } from '../config/section.js';
import { count } from '../config/setting-kinds.js';

/** Limits of rates and of connections. */
export const limitSettings = defineSettings({
  'limits.messages_per_minute': count(
    600,
    'Messages per minute for each principal; for role `channel`, for each sender.',
  ),
  'limits.reactions_per_minute': count(120, 'Reactions per minute for each sender.'),
  'limits.connections_per_address': count(200, 'Open connections from one address.'),
});
