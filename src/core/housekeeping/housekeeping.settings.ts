import Type from 'typebox';
import { defineSettings } from '../config/section.js';

/** Retention of frames and sessions. */
export const housekeepingSettings = defineSettings({
  'store.retention_hours': Type.Number({
    default: 24,
    minimum: 1,
    maximum: 8_760,
    description: 'How long frames can be resumed, in hours.',
  }),
  'store.session_ttl_hours': Type.Number({
    default: 0,
    minimum: 0,
    maximum: 876_000,
    description: 'Idle time in hours after which a session is deleted with all its data; 0 means never.',
  }),
});
