import { randomUUID } from 'node:crypto';
import type { CallToolResult, ServerNotification, Tool } from '@modelcontextprotocol/sdk/types.js';
import { VERSION } from '../core/lifecycle/version.js';
import type { ToolRegistryService, ToolUser } from '../core/tools/tool-registry.service.js';
import type { ToolDefinition } from '../core/tools/tool.js';

/** One call's way back to its caller. */
interface CallExtra {
  readonly signal: AbortSignal;
  readonly _meta?: { readonly progressToken?: string | number | undefined } | undefined;
  readonly sendNotification: (notification: ServerNotification) => Promise<void>;
}

/** The registry as an MCP server for one caller: exactly the tools that the caller may use without asking anybody. */
export async function createMcpServer(registry: ToolRegistryService, user: ToolUser) {
  const [sdk, types] = await Promise.all([
    import('@modelcontextprotocol/sdk/server/index.js'),
    import('@modelcontextprotocol/sdk/types.js'),
  ]);
  // oxlint-disable-next-line typescript/no-deprecated -- the class that the SDK puts in its place wants schemas of zod
  const server = new sdk.Server({ name: 'openclaw-gateway', version: VERSION }, { capabilities: { tools: {} } });
  server.setRequestHandler(types.ListToolsRequestSchema, () => ({
    tools: registry
      .getAvailableTools(user)
      .filter(({ name }) => !registry.needsApproval(name))
      .map(describe),
  }));
  server.setRequestHandler(types.CallToolRequestSchema, ({ params }, extra) =>
    call(registry, user, params.name, params.arguments ?? {}, extra),
  );
  return server;
}

function describe({ name, description, parameters, idempotent }: ToolDefinition): Tool {
  // As JSON: what the schema is to TypeBox beyond that is nobody's business.
  const inputSchema = JSON.parse(JSON.stringify(parameters), tellLengths) as Tool['inputSchema'];
  return { name, description, inputSchema, annotations: { idempotentHint: idempotent } };
}

/** Our schemas keep the lengths of texts under a name of their own, since they count code points; JSON Schema does as well. */
function tellLengths(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('x-length' in value)) return value;
  const { 'x-length': lengths, ...rest } = value as { 'x-length': readonly [number, number] };
  return { ...rest, minLength: lengths[0], maxLength: lengths[1] };
}

async function call(
  registry: ToolRegistryService,
  user: ToolUser,
  name: string,
  parameters: unknown,
  extra: CallExtra,
): Promise<CallToolResult> {
  if (registry.needsApproval(name))
    return failed(`The tool "${name}" needs a person's approval, which cannot be asked for here`);
  const outcome = await registry.execute(name, parameters, {
    ...user,
    callId: randomUUID(),
    signal: extra.signal,
    reportProgress: createReporter(extra),
  });
  if (!outcome.ok) return failed(outcome.message);
  const text = typeof outcome.content === 'string' ? outcome.content : JSON.stringify(outcome.content);
  return { content: [{ type: 'text', text }] };
}

function failed(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}

function createReporter({ _meta, sendNotification }: CallExtra): (detail: string) => void {
  const progressToken = _meta?.progressToken;
  let progress = 0;
  return (message) => {
    if (progressToken === undefined) return;
    // A caller that has gone needs no progress.
    sendNotification({
      method: 'notifications/progress',
      params: { progressToken, progress: ++progress, message },
    }).catch(() => {});
  };
}
