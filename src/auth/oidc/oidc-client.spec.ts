import { expect, it } from 'vitest';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import type { ReachService } from '../../core/reach/reach.service.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { loadSettings } from '../../settings.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { OidcClientService } from './oidc-client.service.js';

const SETTINGS = {
  'gateway.public_url': 'https://old.example.com',
  'auth.oidc': { issuer: 'https://idp.example', client_id: 'gateway', claims: { roles: { users: { role: 'user' } } } },
};

it('[I-09] a change of gateway.public_url counts for the next sign-in, with the provider as it is known', () => {
  const config = new ConfigStoreService(loadSettings({}, SETTINGS, '/nonexistent'), new SilentLogs());
  const reach = { publicUrl: 'https://old.example.com' };
  const clients = new OidcClientService(config, reach as ReachService, new ManualClock(), new SilentLogs());
  const before = clients.get();
  expect(clients.get()).toBe(before);
  reach.publicUrl = 'https://new.example.com/chat';
  const after = clients.get();
  expect(after).toMatchObject({
    origin: 'https://new.example.com',
    redirectUri: 'https://new.example.com/chat/auth/callback',
  });
  expect([after.provider, after.states]).toEqual([before.provider, before.states]);
  expect(after.provider).toBe(before.provider);
});

it('[I-09] a file of the secret that cannot be read refuses the start, with the name of the setting', async () => {
  const settings = { ...SETTINGS, 'auth.oidc': { ...SETTINGS['auth.oidc'], client_secret_file: '/nope' } };
  const config = new ConfigStoreService(loadSettings({}, settings, '/nonexistent'), new SilentLogs());
  const reach = { publicUrl: 'https://old.example.com' } as ReachService;
  const clients = new OidcClientService(config, reach, new ManualClock(), new SilentLogs());
  await expect(clients.check()).rejects.toMatchObject({
    faults: [{ key: 'auth.oidc.client_secret_file', message: 'cannot be read (ENOENT)' }],
  });
});
