import Type from 'typebox';
import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { loadSections } from '../config/load-settings.js';
import { SettingsSchema } from '../config/settings-schema.js';
import { SilentLogs } from '../telemetry/logs.js';
import { credential, defineAccountSettings } from './account-settings.js';
import type { ChannelManagerService } from './channel-manager.service.js';
import { ChannelSetupService } from './channel-setup.service.js';
import { DeliveryError, DriverError, type Driver } from './driver.js';

/** They look like no credential, so that only the settings identify them. */
const [CONFIGURED, TYPED] = ['a rose is a rose', 'as blue as the sky'];

const settings = defineAccountSettings('pigeon', {
  phrase: credential('^.{8,64}$', 'The phrase of the account.'),
  loft: Type.String({ description: 'Where the account is.' }),
});

/** Adds an account with the phrase that was typed, beside one that is configured; its platform responds with `failure`. */
function add(failure: Error): Promise<unknown> {
  const input = { environment: {}, overrides: {}, folder: '/', privateFiles: [], secretFiles: [], faults: [] };
  const document = { channels: { pigeon: { phrase: CONFIGURED, loft: 'north' } } };
  const loaded = loadSections(new SettingsSchema([settings.section]), { ...input, document });
  const config = new ConfigStoreService(loaded, new SilentLogs());
  const driver = { check: () => Promise.reject(failure) } as unknown as Driver;
  const channels = {
    getDriver: () => ({ description: { name: 'pigeon', settings }, create: async () => ({ driver }) }),
  } as unknown as ChannelManagerService;
  const setup = new ChannelSetupService(channels, config, new ManualClock());
  return setup.add(
    { channel: 'pigeon', account: 'second', settings: { phrase: TYPED, loft: 'south' } },
    'ann',
    () => {},
  );
}

it.each([
  ['refuses the account', (text: string) => new DriverError('bad_credential', text)],
  ['refuses a message', (text: string) => new DeliveryError('refused', text)],
])(
  '[V-33] what a platform says that %s is shown without secrets, whether they are stored or were typed',
  async (_, fail) => {
    const text = `GET /${encodeURIComponent(TYPED)}/me: "${TYPED}" is not "${CONFIGURED}", Authorization: Bearer abc0123456789def`;
    const refused = (await add(fail(text)).catch((error: unknown) => error)) as { details: { faults: unknown } };
    expect(refused.details.faults).toEqual([
      { pointer: '/settings', message: 'GET /***/me: "***" is not "***", Authorization: Bearer ***' },
    ]);
  },
);
