import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { APP_TOKEN, BOT_TOKEN, FakeSlack } from '../../../test/support/fake-slack.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { SlackAccounts } from './accounts.js';
import { NEEDED_SCOPES } from './scopes.js';
import { SlackDriver } from './slack.driver.js';

let slack: FakeSlack;
beforeEach(async () => {
  slack = await FakeSlack.start();
});
afterEach(() => slack.close());

it('[V-33] a check names the scopes that the token lacks, and none when Slack does not list them', async () => {
  const driver = new SlackDriver(new ManualClock(), new SlackAccounts());
  const check = () => driver.check({ bot_token: BOT_TOKEN, app_token: APP_TOKEN, api_root: slack.apiRoot } as never);
  expect(await check()).toEqual({ name: 'acme_helper in Acme', remarks: [] });
  slack.scopes = NEEDED_SCOPES.filter((scope) => !['files:read', 'im:history'].includes(scope));
  expect((await check()).remarks).toEqual([expect.stringContaining('Scopes are missing: files:read, im:history.')]);
  slack.scopes = [...NEEDED_SCOPES, 'more:read'];
  expect((await check()).remarks).toEqual([]);
});

it('[V-33] a check says which of the tokens Slack refuses', async () => {
  const driver = new SlackDriver(new ManualClock(), new SlackAccounts());
  slack.failNext('apps.connections.open', { error: 'invalid_auth' });
  const settings = { bot_token: BOT_TOKEN, app_token: APP_TOKEN, api_root: slack.apiRoot } as never;
  await expect(driver.check(settings)).rejects.toThrow('app_token: Slack refuses the token: invalid_auth');
});

it('the scopes that are needed are those of the manifest in the guide', () => {
  const guide = readFileSync('docs/guides/slack.md', 'utf8');
  const [, listed = ''] = /"bot": \[([^\]]*)\]/.exec(guide) ?? [];
  expect(listed.match(/[\w.]+:[\w.]+/g)).toEqual(NEEDED_SCOPES);
});
