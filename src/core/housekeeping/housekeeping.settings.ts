import Type from 'typebox';
import { defineSettings } from '../config/section.js';

/** How long the store keeps frames and sessions. */
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
    description: 'Sessions idle for longer are deleted with all they have; 0 means never.',
  }),
});
