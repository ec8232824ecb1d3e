import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { TOKEN_PREFIX } from '../core/identity/token-prefix.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import { composeSettings, loadSettings } from '../settings.js';
import { KnownSecrets } from './known-secrets.js';
import { PinoLogs } from './pino-logs.js';

interface Study {
  readonly canaries: readonly string[];
  readonly configured_secrets: readonly string[];
  readonly texts: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
}
const study = JSON.parse(readFileSync('test/inputs/enterprise/E38-log-lines.json', 'utf8')) as Study;

/** Logs with the secrets of the study, and what they have written. */
function open(secrets: readonly string[] = study.configured_secrets) {
  const written: string[] = [];
  const logs = new PinoLogs({ output: { write: (line) => void written.push(line) }, pretty: false });
  for (const secret of secrets) logs.hide(secret);
  return { logs, written };
}

it.each(study.texts)('[X-13] has no secret of a text: %s', (text) => {
  const { logs, written } = open();
  logs.for('gateway').error({ text, list: [text], error: new Error(text) }, text);
  const kept = logs.ring.list({}, 1).map((line) => line.text);
  for (const shown of [...written, ...kept]) for (const canary of study.canaries) expect(shown).not.toContain(canary);
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ subsystem: 'gateway' });
});

it('[X-13] has no secret of a field, and only code, constraint and table of an error of a database', () => {
  const { logs, written } = open();
  const { error, ...fields } = study.fields;
  const failure = Object.assign(new Error('Key (client)=(CANARY) exists'), error);
  logs.for('store').error({ ...fields, error: failure, cause: error, input_tokens: 7, tokens_used: 8 }, 'failed');
  expect(written[0]).not.toContain('CANARY');
  expect(JSON.parse(written[0] ?? '')).toMatchObject({
    error: { code: '23505', constraint: 'messages_key', stack: expect.stringContaining('redact.spec') },
    cause: { code: '23505', constraint: 'messages_key' },
    ...{ input_tokens: 7, tokens_used: 8 },
  });
});

it('[X-13] has no credential that the gateway has made, also one of another replica or of an earlier run', () => {
  const random = 'Zk3uP0aQ7-x_Zk3uP0aQ7-x_Zk3uP0aQ7-x_Zk3uP0a';
  const token = `${TOKEN_PREFIX}${random}`;
  const credentials = [
    token,
    ...['', 'a', 'ab', 'user:'].map((before) => Buffer.from(`${before}${token}`).toString('base64')),
    `page.mg3k9x2a1.${random.slice(0, 16)}.${random}`,
    `node1.kitchen-mac.1795766400000.${random}.${random}`,
  ];
  const { logs, written } = open([]);
  for (const said of credentials) logs.for('gateway').warn({ said, list: [`(${said})`] }, `refused ${said}, again`);
  const text = written.join('');
  const parts = [
    random.slice(0, 16),
    ...[0, 1, 2].map((n) => Buffer.from(random.slice(n)).toString('base64').slice(2, 18)),
  ];
  expect(parts.filter((part) => text.includes(part))).toEqual([]);
  expect(text.match(/again/g)).toHaveLength(credentials.length);
});

it.each([
  'Authorization: token CANARYghp',
  'authorization: CANARYraw0123',
  'Authorization: CANARYraw0123',
  '{"authorization":"Token CANARYghp"}',
  'sent bearer CANARYbear',
  'Bearer CANARYbear1 was refused',
  'aws_secret_access_key=CANARYkey',
  'X-Amz-Signature=CANARYsig',
  'https://a.example/b?sv=1&sig=CANARYsig',
  'sig=CANARYsig',
  'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=CANARYkey;EndpointSuffix=b',
  'Ocp-Apim-Subscription-Key: CANARYkey',
  'x-goog-api-key: CANARYkey',
  '-----BEGIN PRIVATE KEY-----\nCANARY+/=\nCANARY\n-----END PRIVATE KEY-----',
  'read -----BEGIN RSA PRIVATE KEY-----\r\nCANARY',
  'POST https://hooks.slack.com/services/T0/B0/CANARY 404',
  'POST https://discord.com/api/webhooks/123/CANARY 404',
  'GET https://api.telegram.org/bot12345:CANARY/getMe 401',
  'otp: CANARY',
  'xoxb-123456789012-CANARYCANARY',
  'xapp-1-A0123-4567-CANARYCANARY',
  'gho_0123456789CANARY0123',
  'github_pat_0123456789CANARY0123',
  'glpat-0123456789CANARY01',
  'AIza0123456789CANARY0123456789',
  "{ apiKey: 'CANARYkey' }",
  '{"accessToken":"CANARYtok"}',
  'clientSecret=CANARYcs',
  'PGPASSWORD=CANARYpw',
  'password="CANARY pw"',
  'bot_token: CANARY0123',
  'started with --token CANARY0123',
  'cloning https://CANARY0123456789ab@git.example/x',
])('[X-13] knows the shapes in which others write credentials: %s', (text) => {
  const { logs, written } = open([]);
  logs.for('gateway').error({ text, list: [text], error: new Error(text) }, text);
  expect(written[0]).not.toContain('CANARY');
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ subsystem: 'gateway' });
});

it('keeps what helps to find a fault', () => {
  const { logs, written } = open();
  const plain = [
    'connect failed: postgres://gw:CANARYpw/with@signs#@db:5432/gw',
    'GET http://127.0.0.1:18789/media/a@2x.png 404',
    'exit code=1, state=waiting, the token is missing',
    'Basic authentication is off',
    'a bearer token is missing, and bearer authentication is on',
    'Send Authorization: Bearer TOKEN',
    'unknown key: agent.nmae; the primary key: id',
    'signature does not match; the config says otp is off',
    'max_tokens=4096 of tokens: 1234',
    'Basic Configuration is done; authorization: denied by policy',
    'GET /admin/v1/queue?state=waiting and ?code=ECONNREFUSED',
    'idempotency-key: 7; sk-learn-transformers-and-more',
    'the token is missing; token expired at 2026-11-27T10:00:00Z; a secret: none',
    'the octet page.html of node1.example is at /page.css',
  ];
  for (const text of plain) logs.for('gateway').info({}, text);
  const shown = written.map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(shown).toEqual([plain[0]?.replace('CANARYpw/with@signs#', '***'), ...plain.slice(1)]);
});

/** Throws at each access. */
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const thrower = () => {
  throw new TypeError('Illegal invocation');
};
const HOSTILE = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((trap) => [trap, thrower]));
/** An error with a property that throws when it is read. */
const spoil = (name: string, error: Error = new Error('said')) =>
  Object.defineProperty(error, name, { enumerable: true, get: thrower });

it.each<[what: string, error: unknown, shown: unknown]>([
  ...['code', 'message', 'stack', 'cause', 'errors'].map((name): [string, unknown, unknown] => [
    `an error with a bad ${name}`,
    spoil(name),
    { type: 'Error', [name]: '[unreadable]' },
  ]),
  ['an error of a bad class', spoil('constructor'), { type: '[unreadable]', message: 'said' }],
  ['an error whose cause is bad', new Error('said', { cause: spoil('code') }), { cause: { code: '[unreadable]' } }],
  ['an error whose cause is a proxy', new Error('said', { cause: revoked }), { cause: '[unreadable]' }],
  ['an error whose message is a proxy', Object.assign(new Error(), { message: revoked }), { message: '[unreadable]' }],
  ['errors of which one is bad', new AggregateError([revoked, 1]), { errors: ['[unreadable]', 1] }],
  [
    'an error of a database with a bad table',
    spoil('table', Object.assign(new Error(), { code: '23505', detail: 'CANARY' })),
    { code: '23505', table: '[unreadable]' },
  ],
  ['an error whose names cannot be listed', new Proxy(new Error('said'), { ownKeys: thrower }), { message: 'said' }],
  ['a proxy that is revoked', revoked, '[unreadable]'],
  ['a proxy that throws', new Proxy(new Error('said'), HOSTILE), '[unreadable]'],
  ['a list that cannot be read', new Proxy([1], HOSTILE), '[unreadable]'],
  ['an object with a bad toJSON', { toJSON: thrower, a: 1 }, { a: 1 }],
  ['a date with a bad toJSON', Object.assign(new Date(0), { toJSON: thrower }), '1970-01-01T00:00:00.000Z'],
])('logs %s, of which it reads what it can', (_, error, shown) => {
  const { logs, written } = open([]);
  logs.for('gateway').error({ error, name: 'tool' }, 'a tool has thrown');
  const line = JSON.parse(written[0] ?? '') as { error: unknown };
  expect(line).toMatchObject({ name: 'tool', msg: 'a tool has thrown' });
  expect([line.error]).toMatchObject([shown]);
  expect(written[0]).not.toContain('CANARY');
});

it('logs the message when the fields cannot be read at all', () => {
  const { logs, written } = open([]);
  logs.for('gateway').error(revoked, 'a tool has thrown');
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ fields: '[unreadable]', msg: 'a tool has thrown' });
});

it('[X-13] hides each secret of the settings wherever it stands, also after a change', async () => {
  const secrets = composeSettings().rows.flatMap(({ key, schema }) => ('x-secret' in schema ? [key] : []));
  expect(secrets.length).toBeGreaterThan(0);
  const values = Object.fromEntries(secrets.map((key, n) => [key, `canary-${n}-Zk3uP0aQ`]));
  const maps = {
    'auth.tokens': [{ token: 'canary-token-in-a-list-1', principal: 'ann', role: 'operator' as const }],
    providers: { acme: { base_url: 'https://acme.example', api_key: 'canary-in-a-map-42' } },
  };
  const loaded = loadSettings({}, {}, '/nowhere');
  const config = new ConfigStoreService(
    { ...loaded, values: { ...loaded.values, ...values, ...maps } },
    new SilentLogs(),
  );
  const { logs, written } = open([]);
  logs.follow(config);
  const all = [...Object.values(values), 'canary-token-in-a-list-1', 'canary-in-a-map-42'];
  for (const secret of all) {
    const forms = [secret, encodeURIComponent(secret), Buffer.from(`user:${secret}`).toString('base64')];
    logs.for('gateway').warn({ said: forms }, `refused: ${forms.join(' ')}`);
  }
  const text = written.join('');
  expect(all.filter((secret) => text.includes(secret))).toEqual([]);
  expect(all.filter((secret) => text.includes(Buffer.from(secret).toString('base64').slice(4, -6)))).toEqual([]);
});

it('[X-13] reads the secrets of the settings again after a change', () => {
  let secrets = ['first-secret-1'];
  const config = { version: 0, listSecrets: () => secrets };
  const known = new KnownSecrets();
  known.follow(config);
  expect(known.hide('first-secret-1 second-secret-2')).toBe('*** second-secret-2');
  secrets = ['second-secret-2'];
  config.version = 1;
  expect(known.hide('first-secret-1 second-secret-2')).toBe('first-secret-1 ***');
});
