import Type from 'typebox';
import { defineSettings } from '../core/config/section.js';
import { address } from '../core/config/setting-kinds.js';

/** The settings of a process that runs drivers of channels, besides those of the drivers. */
export const driverSettings = defineSettings({
  'driver.gateway_url': address('wss?', {
    default: 'ws://127.0.0.1:18789',
    'x-restart': true,
    description: 'The WebSocket of the gateway.',
  }),
  'driver.token': Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9._~-]{16,4096}$',
      'x-secret': true,
      'x-restart': true,
      'x-scope': 'tokens:write',
      description: 'A credential of the gateway: role `channel`, with the channels that run here.',
    }),
  ),
  'store.url': Type.String({
    default: 'sqlite:data/driver.db',
    minLength: 1,
    'x-restart': true,
    'x-start-only': 'it selects the database',
    description: 'The database of this process: what platforms handed over, and what was sent.',
  }),
});
