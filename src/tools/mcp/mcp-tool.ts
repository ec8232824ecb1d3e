import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import type { TSchema } from 'typebox';
import { guardSchema } from '../../core/tools/schema-guard.js';
import type { ToolDefinition } from '../../core/tools/tool.js';
import { compileForeignSchema } from '../foreign-schemas.js';
import { toPlainText } from '../plain-text.js';

const MAX_NAME_LENGTH = 128;
const MAX_DESCRIPTION_LENGTH = 2_048;

/** How a server's tool is called here: `mcp__SERVER__TOOL`. */
export function nameOf(server: string, tool: string): string {
  return `mcp__${server}__${tool.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}`;
}

/**
 * A server's tool as one of ours. What the server says of it is shown to models and people, cut and without control
 * characters, and decides nothing: it needs the permission `mcp:SERVER`, and runs at most once for a call.
 * @throws Error when its name or its schema cannot be used
 */
export async function makeTool(
  server: string,
  tool: Tool,
  timeoutMs: number,
  handler: ToolDefinition['handler'],
): Promise<ToolDefinition> {
  const name = nameOf(server, tool.name);
  if (name.length > MAX_NAME_LENGTH) throw new Error('its name is too long');
  const guarded = guardSchema(tool.inputSchema);
  if (!guarded.ok) throw new Error(`its schema cannot be used: ${guarded.fault}`);
  const schema = showPlainly(guarded.schema);
  return {
    name,
    description: `Tool of the MCP server ${server}, which says: ${plain(tool.description ?? tool.title ?? '(nothing)')}`,
    parameters: schema as unknown as TSchema,
    permissions: [`mcp:${server}`],
    timeoutMs,
    idempotent: false,
    requiresApproval: false,
    sandbox: false,
    findFaults: await compileForeignSchema(schema),
    handler,
  };
}

function plain(text: string): string {
  return toPlainText(text).slice(0, MAX_DESCRIPTION_LENGTH).toWellFormed();
}

/** What a schema says to people is text of the server too. */
function showPlainly(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const reviver = (key: string, value: unknown) =>
    (key === 'description' || key === 'title') && typeof value === 'string' ? plain(value) : value;
  return JSON.parse(JSON.stringify(schema), reviver) as Readonly<Record<string, unknown>>;
}
