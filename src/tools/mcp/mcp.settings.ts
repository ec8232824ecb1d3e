import Type, { type Static } from 'typebox';
import { address, headers, secret } from '../../core/config/setting-kinds.js';
import { defineSettings, type SettingFault, type SettingsReader } from '../../core/config/section.js';

/** A pattern: no program can be started with NUL in its command line. */
const WITHOUT_NUL = '^[^\\x00]*$';

/** One MCP server: a program to start, or a URL to call. */
export const McpServerSetting = Type.Object(
  {
    command: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096, pattern: WITHOUT_NUL })),
    args: Type.Optional(Type.Array(Type.String({ maxLength: 4_096, pattern: WITHOUT_NUL }), { maxItems: 100 })),
    /** The program's environment, besides PATH. */
    env: Type.Optional(
      Type.Record(Type.String({ pattern: '^[^=\\x00]{1,256}$' }), secret({ rest: '[^\\x00]*$' }), {
        additionalProperties: false,
        'x-keys': 'names of variables, for example API_TOKEN',
      }),
    ),
    url: Type.Optional(address('https?')),
    headers: Type.Optional(headers()),
    /** Time limit of one call, in milliseconds. */
    timeout_ms: Type.Optional(Type.Integer({ minimum: 100, maximum: 3_600_000 })),
  },
  { additionalProperties: false },
);
export type McpServerSetting = Static<typeof McpServerSetting>;

/** The MCP servers whose tools are offered. */
export const mcpSettings = defineSettings(
  {
    'mcp.servers': Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]{1,32}$' }), McpServerSetting, {
      default: {},
      additionalProperties: false,
      'x-keys': 'names of 1 to 32 of A-Z, a-z, 0-9 and -, for example files',
      'x-scope': 'config:dangerous',
      description:
        'MCP servers whose tools are offered, by name: `{command, args?, env?}` or `{url, headers?}`, and `timeout_ms?`.',
      'x-restart': true,
    }),
  },
  { rules: [findServerFaults] },
);

/** Checks that a server is either a program or a URL, with fields of its kind only. */
function findServerFaults(get: SettingsReader): SettingFault[] {
  return Object.entries(get('mcp.servers')).flatMap(([name, server]) => {
    const message = findServerFault(name, server);
    return message === undefined ? [] : [{ key: 'mcp.servers', message }];
  });
}

function findServerFault(name: string, server: McpServerSetting): string | undefined {
  const { command, args, env, url } = server;
  if ((command === undefined) === (url === undefined)) return `${name} must have exactly one of command and url`;
  if (url !== undefined && (args ?? env)) return `${name}: args and env are for a command`;
  if (command !== undefined && server.headers) return `${name}: headers are for a url`;
  return undefined;
}
