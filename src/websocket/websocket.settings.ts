import Type from 'typebox';
import { defineSettings } from '../core/config/section.js';

/** Limits and timing of WebSocket connections. */
export const webSocketSettings = defineSettings({
  'gateway.max_frame_bytes': Type.Integer({
    default: 262_144,
    minimum: 1_024,
    maximum: 1_048_576,
    description: 'Largest inbound frame, in bytes.',
    'x-restart': true,
  }),
  'gateway.heartbeat_interval_ms': Type.Integer({
    default: 30_000,
    minimum: 1_000,
    maximum: 3_600_000,
    description: 'Interval of pings, in milliseconds.',
    'x-restart': true,
  }),
});
