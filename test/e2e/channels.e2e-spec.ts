import { afterEach, expect, it } from 'vitest';
import { FakePlatform } from '../../src/testing/fake-platform.js';
import { eventually } from '../support/eventually.js';
import { GatewayApp } from '../support/gateway-app.js';
import { PlatformModule } from '../support/platform-app.js';

const OPEN = { 'channels.pigeon.dm_policy': 'open', 'channels.pigeon.allow_from': ['*'] };

let app: GatewayApp | undefined;
afterEach(() => app?.close());

it('answers a message of a person in their chat, and tells the platform that it has it', async () => {
  const platform = new FakePlatform();
  app = await GatewayApp.start({ modules: [PlatformModule.on(platform)], settings: OPEN });
  platform.write('ann', 'hello');
  await eventually(() => expect(platform.read('ann')).toHaveLength(1));
  await eventually(() => expect(platform.pending).toBe(0));
  expect(platform.read('ann')[0]).toContain('hello');
});
