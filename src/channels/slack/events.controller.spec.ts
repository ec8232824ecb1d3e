import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { SlackAccounts } from './accounts.js';
import { SlackEventsController } from './events.controller.js';

it('reads no body that cannot be signed to an account', async () => {
  const clock = new ManualClock();
  const accounts = new SlackAccounts();
  const { signal } = new AbortController();
  accounts.add('default', { team: 'T1', signingSecret: 'a'.repeat(32), take: async () => {} }, signal);
  accounts.add('socket', { team: 'T2', signingSecret: undefined, take: async () => {} }, signal);
  const controller = new SlackEventsController(accounts, clock);
  const request = { headers: {}, iterator: () => expect.fail('the body is read') } as unknown as IncomingMessage;
  const now = String(Math.floor(clock.now() / 1_000));
  const signature = `v0=${'0'.repeat(64)}`;
  const cases: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['other', now, signature],
    ['socket', now, signature],
    ['default', String(Number(now) - 301), signature],
    ['default', now, 'v0='],
    ['default', undefined, undefined],
  ];
  for (const [account, timestamp, signed] of cases)
    await expect(controller.deliver(account, timestamp, signed, request)).rejects.toMatchObject({ status: 401 });
});
