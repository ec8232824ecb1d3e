import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { CloudApi } from './cloud-api.js';

it.each([
  ['a page of HTML', '<html>Maintenance</html>'],
  ['an object that is cut', '{"ok":'],
  ['null', 'null'],
  ['no message', '{}'],
  ['a message without an ID', '{"messages":[{}]}'],
])('a response with the status 200 and %s confirms nothing and refuses nothing', async (_, body) => {
  const api = new CloudApi(
    { token: 't', root: 'https://graph.example', clock: new ManualClock(), fetch: async () => new Response(body) },
    '1065',
  );
  await expect(api.post({ text: { body: 'hello' } })).rejects.toMatchObject({
    name: 'DeliveryError',
    outcome: 'unknown',
  });
});
