import Type, { type Static } from 'typebox';

/** Never what an operator means: it is how a secret reads back. */
const Secret = Type.String({ maxLength: 16_384, pattern: '^(?!\\*\\*\\*$)', 'x-secret': true });

/** One MCP server: a program that is started, or an address that is called. */
export const McpServerSetting = Type.Object(
  {
    command: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 })),
    args: Type.Optional(Type.Array(Type.String({ maxLength: 4_096 }), { maxItems: 100 })),
    /** All of the program's environment but for PATH. */
    env: Type.Optional(Type.Record(Type.String(), Secret)),
    url: Type.Optional(Type.String({ pattern: '^https?://[^\\s@]+$' })),
    headers: Type.Optional(Type.Record(Type.String(), Secret)),
    /** The longest that one call may take, in milliseconds. */
    timeout_ms: Type.Optional(Type.Integer({ minimum: 100, maximum: 3_600_000 })),
  },
  { additionalProperties: false },
);
export type McpServerSetting = Static<typeof McpServerSetting>;

/** What the shape of the servers' settings cannot say; undefined when there is nothing wrong. */
export function findMcpFault(servers: Readonly<Record<string, McpServerSetting>>): string | undefined {
  for (const [name, { command, args, env, url, headers }] of Object.entries(servers)) {
    if ((command === undefined) === (url === undefined)) return `${name} must have exactly one of command and url`;
    if (url !== undefined && (args ?? env)) return `${name}: args and env are for a command`;
    if (command !== undefined && headers) return `${name}: headers are for a url`;
  }
  return undefined;
}
