import { SlackAccounts } from '../../src/channels/slack/accounts.js';
import { SlackDriver } from '../../src/channels/slack/slack.driver.js';
import { SystemClock } from '../../src/core/time/clock.js';
import { describeChannelDriverContract, type DriverUnderTest } from '../../src/testing/channel-driver.contract.js';
import { APP_TOKEN, BOT_TOKEN, FakeSlack, TEAM, type Failure } from '../support/fake-slack.js';
import type { Parameters as Event } from '../support/fake-slack-messages.js';

const FAILURES: Readonly<Record<Parameters<DriverUnderTest['failNext']>[0], Failure>> = {
  'rate limited': { status: 429, retryAfter: 1 },
  blocked: { error: 'not_in_channel' },
  'response lost': { drop: 'after' },
  revoked: { error: 'token_revoked' },
};

async function make(): Promise<DriverUnderTest> {
  const slack = await FakeSlack.start();
  let newest: Event;
  return {
    driver: new SlackDriver(new SystemClock(), new SlackAccounts()),
    settings: { bot_token: BOT_TOKEN, app_token: APP_TOKEN, api_root: slack.apiRoot, reply_in_thread: true },
    write: (sender, text) => void (newest = slack.write(sender, text)),
    redeliver: () => slack.deliver(newest),
    edit: (text) => {
      const message = { ...newest, text, edited: { user: newest['user'], ts: slack.nextTs() } };
      const changed = { type: 'message', subtype: 'message_changed', message, previous_message: newest };
      slack.deliver({ ...changed, channel: newest['channel'], channel_type: 'im', event_ts: slack.nextTs() });
    },
    react: () => {
      const item = { type: 'message', channel: newest['channel'], ts: newest['ts'] };
      slack.deliver({ type: 'reaction_added', user: newest['user'], reaction: '+1', item, event_ts: slack.nextTs() });
    },
    press: (sender, data) => {
      const user = { id: sender, team_id: TEAM };
      const actions = [{ action_id: 'button_0', value: data, action_ts: slack.nextTs() }];
      slack.sockets.deliver('interactive', { type: 'block_actions', user, channel: { id: `D${sender}` }, actions });
    },
    shown: (sender) => slack.read(`D${sender}`),
    failNext: (failure) => slack.failNext('chat.postMessage', FAILURES[failure]),
    dispose: () => slack.close(),
  };
}

describeChannelDriverContract('the driver of Slack keeps the contract of drivers', make);
