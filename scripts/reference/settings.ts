import { stringify } from 'yaml';
import { describeAllowed } from '../../src/core/config/setting-values.js';
import type { SettingRow } from '../../src/core/config/settings-schema.js';
import { composeSettings } from '../../src/settings.js';
import { code, GENERATED, page, table } from './markdown.js';

/** Not a valid token: copied unchanged, it stops the start instead of opening the gateway. */
export const TOKEN_PLACEHOLDER = '<output of openssl rand -hex 32>';

/** Example values of settings that have no default, or an empty one. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  'gateway.allowed_origins': ['https://chat.example.org'],
  'cron.timezone': 'Europe/Paris',
  'gateway.allowed_hosts': ['gateway.example.org'],
  'gateway.trusted_proxies': ['10.0.0.0/8'],
  'gateway.public_url': 'https://gateway.example.org',
  'gateway.tailscale_bin': '/usr/bin/tailscale',
  'gateway.tailscale_socket': '/var/run/tailscale/tailscaled.sock',
  'gateway.tailscale_listen': 'data/tailscale.sock',
  'auth.jwt': {
    issuer: 'https://idp.example.org/realms/acme',
    audience: 'openclaw-gateway',
    claims: { roles: { 'gw-users': { role: 'user' }, 'gw-admins': { role: 'operator' } } },
  },
  'auth.oidc': {
    issuer: 'https://idp.example.org/realms/acme',
    client_id: 'openclaw-gateway',
    client_secret_file: '/run/secrets/oidc',
    claims: { roles: { 'gw-users': { role: 'user' } } },
  },
  'auth.tailscale_users': { 'ann@example.org': 'operator', '*@example.org': 'user' },
  'auth.tokens': [
    { token: TOKEN_PLACEHOLDER, principal: 'telegram-driver', role: 'channel', channels: ['telegram'] },
    { token: TOKEN_PLACEHOLDER, principal: 'alice', role: 'user' },
  ],
  'auth.token': TOKEN_PLACEHOLDER,
  'telemetry.traces.endpoint': 'http://127.0.0.1:4318/v1/traces',
  'telemetry.traces.headers': { authorization: 'Bearer the-token-of-the-collector' },
  'agent.model': 'anthropic/claude-sonnet-5',
  'agent.allowed_models': ['anthropic/*', 'local/qwen3:8b'],
  'agent.max_output_tokens': 4_096,
  agents: { ops: { description: 'Runs the machines', model: 'anthropic/claude-sonnet-5', permissions: ['shell'] } },
  bindings: [{ agent: 'ops', channel: 'slack', group_id: 'C024BE91L' }],
  providers: { local: { api: 'openai-completions', base_url: 'http://127.0.0.1:11434/v1', context_window: 32_768 } },
  'tools.browser.executable': '/usr/bin/chromium',
  'tools.browser.cdp_url': 'http://10.0.0.5:9222',
  'tools.browser.allow_hosts': ['intranet.example.org'],
  'tools.http.allow_hosts': ['intranet.example.org', '127.0.0.1:8080'],
  'media.folder': 'data/media',
  'mcp.servers': {
    files: {
      command: 'npx',
      args: ['-y', '@modelcontextprotocol/server-filesystem', '/srv/files'],
      env: { HOME: '/tmp' },
    },
    tickets: { url: 'https://tickets.example.org/mcp', timeout_ms: 30_000 },
  },
  channels: { telegram: { busy_policy: 'interrupt' } },
  'channels.discord.bot_token': 'the-token-from-the-developer-portal',
  'channels.telegram.bot_token': '7000000001:the-token-from-BotFather',
  'channels.whatsapp.access_token': 'the-token-of-the-system-user',
  'channels.whatsapp.phone_number_id': '106540352200001',
  'channels.whatsapp.app_secret': 'the-app-secret-of-the-app',
  'channels.whatsapp.verify_token': 'a-text-of-your-choice',
  'channels.slack.bot_token': 'xoxb-the-token-of-the-bot',
  'channels.slack.app_token': 'xapp-the-token-of-the-app',
  'channels.slack.signing_secret': 'TheSigningSecretOfTheApp',
  'channels.telegram.webhook_url': 'https://gateway.example.org/channels/telegram/default',
};

const settingRows = composeSettings().rows;
const present = settingRows.filter((row) => row.schema['x-later'] !== true);
const later = settingRows.filter((row) => row.schema['x-later'] === true);

/** Renders `docs/reference/settings.md`. */
export function renderSettings(): string {
  const sections = [...new Set(present.map(sectionOf))];
  return page(
    '# Settings',
    GENERATED,
    'Lowest to highest: the defaults below, `config.yaml` (or the file that `OPENCLAW_CONFIG` names), environment variables, ' +
      'the command line, changes at run time. An environment variable with `_FILE` appended names a file that holds the value. ' +
      'Lists and maps are JSON in the environment. `.env` is read unless `NODE_ENV` is `production`. ' +
      'An unknown key, a wrong type or a value out of range stops the start with one message that lists every fault.',
    'Templates: [config.example.yaml](../../config.example.yaml) and [.env.example](../../.env.example).',
    ...sections.flatMap((section) => [
      `## ${section}`,
      table(
        ['key', 'environment variable', 'default', 'allowed', 'a change', 'meaning'],
        present.filter((row) => sectionOf(row) === section).map(describeRow),
      ),
    ]),
    ...(later.length === 0
      ? []
      : [
          '## Not part of this version',
          `Part of the specification, refused by name when set: ${later.map((row) => code(row.key)).join(', ')}.`,
        ]),
    '## Other environment variables',
    table(
      ['variable', 'meaning'],
      [
        [code('OPENCLAW_CONFIG'), 'Path of the settings file; without it `./config.yaml`, if it exists.'],
        [
          `${code('ANTHROPIC_API_KEY')}, ${code('OPENAI_API_KEY')}`,
          'The keys of the providers `anthropic` and `openai`, which need no other setting.',
        ],
        [code('OPENCLAW_URL'), 'For commands that connect to a running gateway: its address.'],
        [code('OPENCLAW_TOKEN'), 'For commands that connect to a running gateway: their credential.'],
        [code('OPENCLAW_FAILPOINT'), 'For crash tests only: `NAME:NTH` kills the process at that point.'],
      ],
    ),
  );
}

function describeRow(row: SettingRow): string[] {
  const { schema } = row;
  return [
    code(row.key),
    code(row.env),
    schema.default === undefined ? 'none' : code(toText(schema.default)),
    schema.pattern === undefined ? describeAllowed(row) : `text that matches ${code(schema.pattern)}`,
    schema['x-restart'] ? 'needs a restart' : 'applies at once',
    schema.description ?? '',
  ];
}

/** Renders `.env.example`: every setting as a comment, so that an unchanged copy has no effect. */
export function renderDotEnv(): string {
  const blocks = present.map((row) => {
    const value = EXAMPLES[row.key] ?? row.schema.default ?? row.schema.enum?.[0] ?? describeAllowed(row);
    return `${comment(row, '')}\n# ${row.env}=${toText(value)}`;
  });
  return `${[
    '# Settings as environment variables. Copy to .env (read unless NODE_ENV=production) and remove the # from what you',
    '# need. VARIABLE_FILE names a file that holds the value. Generated by `npm run docs`.',
    '',
    blocks.join('\n\n'),
  ].join('\n')}\n`;
}

/**
 * Renders `config.example.yaml`: every setting as a comment under its section, so that an unchanged copy has no effect.
 */
export function renderConfigYaml(): string {
  const sections = [...new Set(present.map(sectionOf))];
  const blocks = sections.map((section) => {
    const rows = present.filter((row) => sectionOf(row) === section);
    // A setting without a section (`channels`) is its own section.
    if (rows.length === 1 && rows[0]?.key === section) return renderYamlRow(rows[0], section, '');
    return [`${section}:`, ...rows.map((row, i) => renderYamlPart(row, rows[i - 1]))].join('\n\n');
  });
  return `${[
    '# Settings of the gateway. Copy to config.yaml and remove the # from what you need.',
    '# Values are the defaults, or an example where the default is empty. Generated by `npm run docs`.',
    '',
    blocks.join('\n\n'),
  ].join('\n')}\n`;
}

/** Renders a setting of a section. The first one of a part (`tools.sandbox`) has the part's name above it. */
function renderYamlPart(row: SettingRow, earlier: SettingRow | undefined): string {
  const [section = '', name = '', ...rest] = row.key.split('.');
  const [last] = rest;
  // A map of which modules declare parts (`channels`): its values stand among theirs.
  if (row.key === section) return comment(row, '  ');
  if (last === undefined) return renderYamlRow(row, name, '  ');
  const isFirst = earlier?.key.split('.')[1] !== name;
  return `${isFirst ? `  # ${name}:\n` : ''}${renderYamlRow(row, last, '  ', '  ')}`;
}

function renderYamlRow(row: SettingRow, name: string, indent: string, within = ''): string {
  const value = EXAMPLES[row.key] ?? row.schema.default ?? row.schema.enum?.[0];
  const lines = stringify({ [name]: value })
    .trimEnd()
    .split('\n');
  return [comment(row, indent), ...lines.map((line) => `${indent}# ${within}${line}`)].join('\n');
}

function comment(row: SettingRow, indent: string): string {
  const facts = [
    `Allowed: ${describeAllowed(row)}.`,
    ...(row.schema['x-restart'] ? ['A change needs a restart.'] : []),
  ];
  return [row.schema.description ?? '', facts.join(' ')].map((line) => `${indent}# ${line}`).join('\n');
}

function sectionOf(row: SettingRow): string {
  return row.key.split('.')[0] ?? row.key;
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
