import type { ToolDefinition } from '../../core/tools/tool.js';
import { vetForeignTool } from '../foreign-tools.js';

const MAX_NAME_LENGTH = 128;

/** Returns the prefix of the names of a server's tools: `mcp__SERVER__`. */
export function prefixOf(server: string): string {
  return `mcp__${server}__`;
}

/** Returns the server's name of a tool; undefined if it has none. */
export function readToolName(tool: unknown): string | undefined {
  const name = (tool as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/**
 * Converts a server's tool to one of the gateway's. Its description is truncated and cleaned of control characters
 * before models and people see it, and its hints are ignored: it needs the permission `mcp:SERVER`, and runs at most
 * once per call. Fields of the wrong type are ignored.
 * @throws Error if its name or its schema cannot be used
 */
export async function makeTool(
  server: string,
  tool: unknown,
  timeoutMs: number,
  handler: ToolDefinition['handler'],
): Promise<ToolDefinition> {
  const ownName = readToolName(tool);
  if (ownName === undefined) throw new Error('it has no name');
  const name = `${prefixOf(server)}${ownName.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}`;
  if (name.length > MAX_NAME_LENGTH) throw new Error('its name is too long');
  const { description, title, inputSchema } = tool as Readonly<Record<string, unknown>>;
  const said = [description, title].find((text) => typeof text === 'string') ?? '(nothing)';
  const vetted = await vetForeignTool(said, inputSchema ?? {});
  return {
    ...vetted,
    name,
    description: `Tool of the MCP server ${server}, which says: ${vetted.description}`,
    permissions: [`mcp:${server}`],
    timeoutMs,
    idempotent: false,
    requiresApproval: false,
    sandbox: false,
    handler,
  };
}
