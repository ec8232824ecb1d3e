import { describeChannelDriverContract, type DriverUnderTest } from './channel-driver.contract.js';
import { FakePlatform, PigeonDriver, TelegraphDriver, type CallFailure } from './fake-platform.js';

const FAILURES: Readonly<Record<Parameters<DriverUnderTest['failNext']>[0], CallFailure>> = {
  'rate limited': { outcome: 'not_sent', retryAfterMs: 1_000 },
  blocked: { outcome: 'refused' },
  'response lost': { outcome: 'unknown', takesEffect: true },
  revoked: { outcome: 'bad_credential' },
};

async function make(Driver: typeof PigeonDriver | typeof TelegraphDriver): Promise<DriverUnderTest> {
  const platform = new FakePlatform();
  let newest: ReturnType<FakePlatform['write']>;
  return {
    driver: new Driver(platform),
    settings: {},
    write: (sender, text) => void (newest = platform.write(sender, text)),
    redeliver: () => platform.redeliver(newest),
    edit: (text) => void platform.act('ann', 'ann', { act: { kind: 'edit', of: newest.number } }, text),
    react: () =>
      void platform.act('ann', 'ann', { act: { kind: 'reaction', of: newest.number, emoji: '👍', action: 'added' } }),
    press: (sender, data) => void platform.act(sender, sender, { act: { kind: 'press', data } }),
    shown: (sender) => platform.read(sender),
    failNext: (failure) => platform.failNext(FAILURES[failure]),
    dispose: () => {},
  };
}

describeChannelDriverContract('[V-15] the driver of a platform that edits keeps the contract of drivers', () =>
  make(PigeonDriver),
);
describeChannelDriverContract('the driver of a platform without edits keeps the contract of drivers', () =>
  make(TelegraphDriver),
);
