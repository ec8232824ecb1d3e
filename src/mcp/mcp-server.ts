import { randomUUID } from 'node:crypto';
import type { CallToolResult, ServerNotification, Tool } from '@modelcontextprotocol/sdk/types.js';
import { VERSION } from '../core/lifecycle/version.js';
import { ToolNames } from '../core/tools/tool-names.js';
import type { ToolRegistryService, ToolUser } from '../core/tools/tool-registry.service.js';
import type { ToolDefinition } from '../core/tools/tool.js';

/** What a call needs to reach its caller. */
interface CallExtra {
  readonly signal: AbortSignal;
  readonly _meta?: { readonly progressToken?: string | number | undefined } | undefined;
  readonly sendNotification: (notification: ServerNotification) => Promise<void>;
}

/**
 * Creates the registry as an MCP server for one caller: exactly the tools that the caller may use without an approval.
 * They are listed by the names that models get, since common clients refuse dots and more than 64 characters; calls may
 * use the gateway's names as well.
 */
export async function createMcpServer(registry: ToolRegistryService, user: ToolUser) {
  const [sdk, types] = await Promise.all([
    import('@modelcontextprotocol/sdk/server/index.js'),
    import('@modelcontextprotocol/sdk/types.js'),
  ]);
  const refuse = (code: 'InvalidParams' | 'MethodNotFound', message: string) =>
    Object.assign(new Error(message), { code: types.ErrorCode[code] });
  // oxlint-disable-next-line typescript/no-deprecated -- the class that the SDK puts in its place wants schemas of zod
  const server = new sdk.Server({ name: 'openclaw-gateway', version: VERSION }, { capabilities: { tools: {} } });
  server.setRequestHandler(types.ListToolsRequestSchema, async (_request, { signal }) => {
    await registry.sources.whenStarted(signal);
    const tools = registry.getAvailableTools(user).filter(({ name }) => !registry.needsApproval(name));
    const names = createNames(registry);
    return { tools: tools.map((tool) => describe(names.encode(tool.name), tool)) };
  });
  // By hand, since the SDK refuses `arguments: null`, and tells its own schema errors as internal ones.
  server.fallbackRequestHandler = async ({ method, params }, extra) => {
    if (method !== 'tools/call') throw refuse('MethodNotFound', 'Method not found');
    const { name, arguments: parameters = null } = (params ?? {}) as { name?: unknown; arguments?: unknown };
    if (typeof name !== 'string') throw refuse('InvalidParams', 'The name of the tool must be text');
    if (typeof parameters !== 'object' || Array.isArray(parameters))
      throw refuse('InvalidParams', 'The arguments must be an object');
    return call(registry, user, name, parameters ?? {}, extra);
  };
  return server;
}

function createNames(registry: ToolRegistryService): ToolNames {
  return new ToolNames(registry.list().map(({ name }) => name));
}

function describe(name: string, { description, parameters, idempotent }: ToolDefinition): Tool {
  // As JSON: what the schema is to TypeBox beyond that is of no use to the caller.
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
  toldName: string,
  parameters: object,
  extra: CallExtra,
): Promise<CallToolResult> {
  const fault = await registry.awaitTool(toldName, extra.signal);
  if (fault) return failed(fault.message);
  const name = registry.find(toldName) ? toldName : createNames(registry).decode(toldName);
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
