import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../config/section.js';

/**
 * Minimum time for which ids of messages are remembered, and with them their sessions, in hours (protocol.md section
 * 5).
 */
export const REMEMBER_IDS_HOURS = 7 * 24;

/** Retention of what is stored. */
export const housekeepingSettings = defineSettings(
  {
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
      'x-scope': 'config:dangerous',
      description: `Idle time in hours after which a session is deleted with all its data; 0 means never. At least ${REMEMBER_IDS_HOURS}: ids of messages are remembered that long, or for \`store.retention_hours\` if that is longer.`,
    }),
    'store.approval_retention_days': Type.Integer({
      default: 30,
      minimum: 1,
      maximum: 36_500,
      description: 'How long an approval is kept after it expired, in days. The audit trail has its decision.',
    }),
    'store.max_backup_age_hours': Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 87_600,
      description:
        'Age in hours from which the last `openclaw backup` is too old, which `/health` and `openclaw status` say; 0 means never.',
    }),
    'store.audit_retention_days': Type.Integer({
      default: 365,
      minimum: 0,
      maximum: 36_500,
      'x-scope': 'config:dangerous',
      description:
        'How long rows of the audit trail are kept, in days; 0 means that they are never deleted. The trail verifies after they are deleted.',
    }),
  },
  { rules: [findSessionTtlFaults] },
);

/** A shorter time would be a promise that is not kept: a session stays as long as the ids of its messages. */
function findSessionTtlFaults(get: SettingsReader): SettingFault[] {
  const hours = get('store.session_ttl_hours');
  if (hours === 0 || hours >= REMEMBER_IDS_HOURS) return [];
  const message = `must be 0 (never) or at least ${REMEMBER_IDS_HOURS}, because ids of messages are remembered for 7 days`;
  return [{ key: 'store.session_ttl_hours', message }];
}
