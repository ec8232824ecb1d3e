import { expect, it } from 'vitest';
import * as job from '../src/core/cron/job.js';
import * as principal from '../src/core/identity/principal.js';
import * as logs from '../src/core/telemetry/logs.js';
import { LOG_LEVELS, MISFIRES, OVERLAPS, ROLE_SCOPES, SUBSYSTEMS } from '../src/web/console/pages/api-names.js';

it('the names that the console offers are those of the gateway', () => {
  expect({ LOG_LEVELS, MISFIRES, OVERLAPS, ROLE_SCOPES, SUBSYSTEMS }).toEqual({
    LOG_LEVELS: logs.LOG_LEVELS,
    MISFIRES: job.MISFIRES,
    OVERLAPS: job.OVERLAPS,
    ROLE_SCOPES: principal.ROLE_SCOPES,
    SUBSYSTEMS: logs.SUBSYSTEMS,
  });
});
