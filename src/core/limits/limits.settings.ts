import Type from 'typebox';
import { defineSettings } from '../config/section.js';
import { count } from '../config/setting-kinds.js';

/** Limits of rates and of connections. */
export const limitSettings = defineSettings({
  'limits.messages_per_minute': count(
    600,
    'Messages per minute for each principal; for role `channel`, for each sender.',
  ),
  'limits.reactions_per_minute': count(120, 'Reactions per minute for each sender.'),
  'limits.media_bytes_per_day': Type.Integer({
    default: 1_073_741_824,
    minimum: 1,
    maximum: 1_099_511_627_776,
    description: 'Bytes of files that each principal may upload in 24 hours.',
  }),
  'limits.connections_per_address': count(200, 'Open connections from one address.'),
  'limits.sessions_read': count(
    100_000,
    'Sessions that all connections read at the same time. A tenant leaves half of them to others; each connection may read 5,000.',
  ),
  'limits.buffered_bytes': Type.Integer({
    default: 16_777_216,
    minimum: 8_388_608,
    maximum: 17_179_869_184,
    description:
      'Bytes that connections and HTTP requests hold in memory together. Each may hold an eighth of what is free, and always 160 KiB.',
  }),
});
