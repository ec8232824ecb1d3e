import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ChannelDto } from '../src/admin/channels.dto.js';
import type { Channel as CommandChannel } from '../src/cli/commands/channels.js';
import * as account from '../src/core/channels/channel-account.js';
import * as job from '../src/core/cron/job.js';
import * as principal from '../src/core/identity/principal.js';
import * as logs from '../src/core/telemetry/logs.js';
import {
  CHANNEL_STATES,
  LOG_LEVELS,
  MISFIRES,
  OVERLAPS,
  ROLE_SCOPES,
  SUBSYSTEMS,
} from '../src/web/console/pages/api-names.js';
import type { Channel } from '../src/web/console/pages/channel-row.js';

describe('the names that the console offers', () => {
  it('are those of the gateway', () => {
    expect({ CHANNEL_STATES, LOG_LEVELS, MISFIRES, OVERLAPS, ROLE_SCOPES, SUBSYSTEMS }).toEqual({
      CHANNEL_STATES: account.ACCOUNT_STATES,
      LOG_LEVELS: logs.LOG_LEVELS,
      MISFIRES: job.MISFIRES,
      OVERLAPS: job.OVERLAPS,
      ROLE_SCOPES: principal.ROLE_SCOPES,
      SUBSYSTEMS: logs.SUBSYSTEMS,
    });
  });

  it('and those of the command line are the fields that the API has for a channel', () => {
    expectTypeOf<Channel>().toEqualTypeOf<Readonly<ChannelDto>>();
    expectTypeOf<CommandChannel>().toEqualTypeOf<Readonly<ChannelDto>>();
  });
});
