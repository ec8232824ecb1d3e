import Type from 'typebox';
import { defineSettings } from '../config/section.js';

/** Retention of what is stored. */
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
  'store.approval_retention_days': Type.Integer({
    default: 30,
    minimum: 1,
    maximum: 36_500,
    description: 'How long an approval is kept after it expired, in days. The audit trail has its decision.',
  }),
  'store.audit_retention_days': Type.Integer({
    default: 365,
    minimum: 0,
    maximum: 36_500,
    'x-scope': 'config:dangerous',
    description:
      'How long rows of the audit trail are kept, in days; 0 means for ever. The trail verifies after they are deleted.',
  }),
});
