import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptLogs } from '../../src/testing/kept-logs.js';
import { FakeIssuer } from '../support/fake-issuer.js';
import { GatewayApp } from '../support/gateway-app.js';
import { httpRequest } from '../support/http-request.js';
import { MovedClock } from '../support/moved-clock.js';

const URL_OF_GATEWAY = 'https://chat.example.com';

let issuer: FakeIssuer;
let gateway: GatewayApp | undefined;
let clock: MovedClock;
let logs: KeptLogs;
beforeEach(async () => {
  issuer = await FakeIssuer.start();
  issuer.document = endpoints();
  clock = new MovedClock();
  logs = new KeptLogs();
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  await issuer.close();
});

function endpoints(): Record<string, string> {
  return {
    authorization_endpoint: `${issuer.url}/auth`,
    token_endpoint: `${issuer.url}/token`,
    end_session_endpoint: `${issuer.url}/end`,
  };
}

async function start(changes: object = {}): Promise<void> {
  gateway = await GatewayApp.start({
    ...{ clock, logs },
    settings: {
      'gateway.public_url': URL_OF_GATEWAY,
      'auth.oidc': {
        issuer: issuer.url,
        client_id: 'gateway',
        claims: { roles: { users: { role: 'user' } } },
        ...changes,
      },
    },
  });
}

/** Why the provider cannot be used, as the log has it. */
const logged = () => JSON.stringify(logs.fields.filter((fields) => 'issuer' in fields)).replaceAll('\\"', '"');

const FAULT =
  'The identity provider cannot be used, as it does not respond as it should. To mend it, contact the operator';

/** Begins a sign-in. */
async function login() {
  const { status, text, headers } = await httpRequest(gateway!.port, '/auth/login');
  return { status, text: text.replaceAll('&#34;', '"'), location: headers.location };
}

describe('a sign-in by an identity provider whose document is wrong', () => {
  it('[I-05] begins with a right one', async () => {
    await start();
    expect(await login()).toMatchObject({ status: 302, location: expect.stringContaining(`${issuer.url}/auth?`) });
  });

  it.each<[name: string, value: unknown, says: string]>([
    ['authorization_endpoint', undefined, 'has no authorization_endpoint'],
    ['authorization_endpoint', null, 'has no authorization_endpoint'],
    ['authorization_endpoint', 'javascript:alert(1)', '"javascript:alert(1)", which is neither https nor http'],
    ['authorization_endpoint', 'http://idp.example/auth', 'neither https nor http on loopback'],
    ['authorization_endpoint', '/auth', 'neither https nor http on loopback'],
    ['authorization_endpoint', ['https://idp.example/auth'], 'neither https nor http on loopback'],
    ['token_endpoint', undefined, 'has no token_endpoint'],
    ['token_endpoint', 'http://idp.example/token', 'neither https nor http on loopback'],
    ['jwks_uri', undefined, 'has no jwks_uri'],
    ['jwks_uri', 'file:///etc/passwd', 'neither https nor http on loopback'],
    ['end_session_endpoint', 'data:text/html,x', 'neither https nor http on loopback'],
  ])('[I-05] does not begin with the %s %j, and the log says why', async (name, value, says) => {
    issuer.document = { ...endpoints(), [name]: value };
    await start();
    const { status, text, location } = await login();
    expect({ status, location }).toEqual({ status: 503, location: undefined });
    expect(text).toContain(FAULT);
    expect(text).not.toMatch(/javascript:|idp\.example|passwd/);
    expect(logged()).toContain(`the document of the issuer has`);
    expect(logged()).toContain(says);
  });

  it('[I-06] does not begin with an issuer that differs by a slash, which the log shows', async () => {
    await start({ issuer: `${issuer.url}/` });
    const { status, text } = await login();
    expect([status, text]).toEqual([503, expect.stringContaining(FAULT)]);
    expect(text).not.toContain(issuer.url);
    expect(logged()).toContain(`the setting has the issuer "${issuer.url}/", and its own document has "${issuer.url}"`);
  });

  it('[I-05] does not begin when the provider responds with a failure, whose status the log has', async () => {
    issuer.status = 500;
    await start();
    const { status, text } = await login();
    expect([status, text]).toEqual([503, expect.stringContaining(FAULT)]);
    expect(text).not.toContain(issuer.url);
    expect(logged()).toContain(`${issuer.url}/.well-known/openid-configuration has responded with HTTP 500`);
  });

  it('[I-05] goes on for ten minutes with a document that was right', async () => {
    await start();
    expect((await login()).status).toBe(302);
    issuer.document = { ...endpoints(), authorization_endpoint: 'javascript:alert(1)' };
    clock.aheadMs = 9 * 60_000;
    expect((await login()).location).toMatch(`${issuer.url}/auth?`);
    clock.aheadMs = 11 * 60_000;
    expect((await login()).status).toBe(503);
  });
});
