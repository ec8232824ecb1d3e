import { afterEach, describe, expect, it } from 'vitest';
import { Store } from '../../src/core/store/index.js';
import { eventually } from '../support/eventually.js';
import { expectTime } from '../support/expect-time.js';
import { GatewayApp, TOKENS } from '../support/gateway-app.js';

/** Time within which readiness reports a change, in milliseconds. */
const MAX_LIE_MS = 2_000;

let gateway: GatewayApp;
afterEach(() => gateway.close());

const probe = async (name: string) => (await fetch(`${gateway.url}/health/${name}`)).status;

describe('the probes of a gateway', () => {
  it('[L-23] report within 2 s that the store is gone, while liveness stays', async () => {
    gateway = await GatewayApp.start();
    await eventually(async () => expect([await probe('ready'), await probe('live')]).toEqual([200, 200]));
    await gateway.app.get(Store, { strict: false }).close();
    const goneAt = performance.now();
    await eventually(async () => expect(await probe('ready')).toBe(503));
    expectTime(performance.now() - goneAt, MAX_LIE_MS);
    expect([await probe('live'), await probe('startup')]).toEqual([200, 200]);
  });
});

describe('the health of a gateway', () => {
  it('[L-22] names the agent whose models do not answer', async () => {
    gateway = await GatewayApp.start({
      settings: {
        'auth.tokens': [{ token: TOKENS.operator, principal: 'operator', role: 'operator' }],
        'agent.model': 'house/small',
        providers: { house: { api: 'openai-completions', base_url: 'http://127.0.0.1:9/v1', max_retries: 0 } },
      },
    });
    const client = await gateway.connect('client', TOKENS.operator);
    client.send('message_in', { channel: 'test', sender: 'me', content: 'Hello' });
    await client.next('stream_end');
    await eventually(async () => {
      const answer = await fetch(`${gateway.url}/health`, { headers: { authorization: `Bearer ${TOKENS.operator}` } });
      expect(await answer.json()).toMatchObject({
        status: 'degraded',
        reasons: ['the agent main has no model that answers: house/small (unreachable)'],
      });
    });
  });
});
