import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/index.js';
import { InProcessBroker } from '../core/broker/in-process-broker.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import { TOKEN_PATTERN } from '../protocol/constants.js';
import { CODE_LIFETIME_MS, PAGE_TOKEN_LIFETIME_MS, PageSignIn } from './page-sign-in.js';

const SECRETS = ['a-token-of-an-operator', 'another-operators-token'];

function setUp(secrets: readonly string[] = SECRETS, clock = new ManualClock()) {
  const pages = new PageSignIn(clock, new InProcessBroker(clock, new SilentLogs()), () => secrets);
  return { clock, pages, signIn: async () => (await pages.redeem(await pages.issueCode()))!.token };
}

describe('a code', () => {
  it('[W-02] is exchanged once for a token that travels as a subprotocol', async () => {
    const { clock, pages } = setUp();
    const code = await pages.issueCode();
    const page = await pages.redeem(code);
    expect(page).toEqual({
      token: expect.stringMatching(TOKEN_PATTERN) as string,
      expiresAt: clock.now() + PAGE_TOKEN_LIFETIME_MS,
    });
    expect(await pages.redeem(code)).toBeUndefined();
  });

  it('[W-03] is valid for a minute', async () => {
    const { clock, pages } = setUp();
    const [early, late] = [await pages.issueCode(), await pages.issueCode()];
    clock.advance(CODE_LIFETIME_MS - 1);
    expect(await pages.redeem(early)).toBeDefined();
    clock.advance(1);
    expect(await pages.redeem(late)).toBeUndefined();
  });

  it('[W-03] cannot be guessed or come from another gateway', async () => {
    const { pages } = setUp();
    await pages.issueCode();
    for (const wrong of ['', 'x', await setUp().pages.issueCode()]) expect(await pages.redeem(wrong)).toBeUndefined();
  });
});

describe('a token of a page', () => {
  it('[W-04] may only chat, as its own sender on its own channel, for a week', async () => {
    const { clock, pages, signIn } = setUp();
    const token = await signIn();
    expect(pages.find(token)).toEqual({
      tenant: 'default',
      principal: 'webchat',
      role: 'user',
      scopes: new Set(['messages:write', 'presence:write', 'sessions:read']),
      channels: ['webchat'],
      sender: 'webchat',
      expiresAt: clock.now() + PAGE_TOKEN_LIFETIME_MS,
    });
    clock.advance(PAGE_TOKEN_LIFETIME_MS);
    expect(pages.find(token)).toBeUndefined();
  });

  it("[W-05] survives a restart, and ends when the operators' tokens change", async () => {
    const { clock, signIn } = setUp();
    const token = await signIn();
    expect(setUp(SECRETS.toReversed(), clock).pages.find(token)).toBeDefined();
    expect(setUp([SECRETS[0]!], clock).pages.find(token)).toBeUndefined();
    expect(setUp([], clock).pages.find(token)).toBeUndefined();
  });

  it('lasts as long as the process when no token of an operator is known', async () => {
    const { clock, pages, signIn } = setUp([]);
    const token = await signIn();
    expect(pages.find(token)).toBeDefined();
    expect(setUp([], clock).pages.find(token)).toBeUndefined();
  });

  it('[W-04] cannot be extended, forged or truncated', async () => {
    const { clock, pages, signIn } = setUp();
    const token = await signIn();
    const [prefix, expiry, nonce, signature] = token.split('.');
    const later = (Number.parseInt(expiry!, 36) + 1).toString(36);
    const forgeries = [
      [prefix, later, nonce, signature].join('.'),
      [prefix, expiry, nonce!.toLowerCase().replace(/.$/, '0'), signature].join('.'),
      [prefix, expiry, nonce, signature!.slice(1)].join('.'),
      [prefix, expiry, nonce].join('.'),
      `${token}x`,
      token.slice(1),
      'page.',
      await setUp(['another-operator-s-token'], clock).signIn(),
    ];
    for (const forged of forgeries) expect(pages.find(forged)).toBeUndefined();
  });
});
