import { randomUUID } from 'node:crypto';
import type { CallToolResult, ServerNotification, Tool } from '@modelcontextprotocol/sdk/types.js';
import { VERSION } from '../core/lifecycle/version.js';
import { ToolNames } from '../core/tools/tool-names.js';
import type { ToolRegistryService, ToolUser } from '../core/tools/tool-registry.service.js';
import type { ToolDefinition } from '../core/tools/tool.js';

/** The part of the SDK's request context that a call uses. */
interface CallExtra {
  readonly signal: AbortSignal;
  readonly _meta?: { readonly progressToken?: string | number | undefined } | undefined;
  readonly sendNotification: (notification: ServerNotification) => Promise<void>;
}

/** The parts that calls of one caller need. `onCall` runs before each call. */
interface Callee {
  readonly registry: ToolRegistryService;
  readonly user: ToolUser;
  readonly onCall: (tool: string, parameters: object, callId: string) => Promise<void>;
}

/**
 * Creates an MCP server for one caller, with exactly the tools that the caller may use without approval. A call whose own
 * parameters make the tool ask for one is refused. They are
 * listed under the names that models get, since common clients refuse dots and more than 64 characters; calls may use
 * the gateway's names as well.
 */
export async function createMcpServer(registry: ToolRegistryService, user: ToolUser, onCall: Callee['onCall']) {
  const [sdk, types] = await Promise.all([
    import('@modelcontextprotocol/sdk/server/index.js'),
    import('@modelcontextprotocol/sdk/types.js'),
  ]);
  const refuse = (code: 'InvalidParams' | 'MethodNotFound', message: string) =>
    Object.assign(new Error(message), { code: types.ErrorCode[code] });
  // oxlint-disable-next-line typescript/no-deprecated -- its replacement in the SDK requires zod schemas
  const server = new sdk.Server({ name: 'openclaw-gateway', version: VERSION }, { capabilities: { tools: {} } });
  server.setRequestHandler(types.ListToolsRequestSchema, async (_request, { signal }) => {
    await registry.sources.whenStarted(signal);
    const tools = registry.getAvailableTools(user).filter(({ name }) => !registry.needsApproval(name));
    const names = createNames(registry);
    return { tools: tools.map((tool) => describe(names.encode(tool.name), tool)) };
  });
  // Handled manually, because the SDK refuses `arguments: null` and reports its own schema errors as internal ones.
  server.fallbackRequestHandler = async ({ method, params }, extra) => {
    if (method !== 'tools/call') throw refuse('MethodNotFound', 'Method not found');
    const { name, arguments: parameters = null } = (params ?? {}) as { name?: unknown; arguments?: unknown };
    if (typeof name !== 'string') throw refuse('InvalidParams', 'The name of the tool must be text');
    if (typeof parameters !== 'object' || Array.isArray(parameters))
      throw refuse('InvalidParams', 'The arguments must be an object');
    return call({ registry, user, onCall }, name, parameters ?? {}, extra);
  };
  return server;
}

function createNames(registry: ToolRegistryService): ToolNames {
  return new ToolNames(registry.list().map(({ name }) => name));
}

function describe(name: string, { description, parameters, idempotent }: ToolDefinition): Tool {
  // As plain JSON: TypeBox's additional properties are of no use to the caller.
  const inputSchema = JSON.parse(JSON.stringify(parameters), toJsonSchemaLengths) as Tool['inputSchema'];
  return { name, description, inputSchema, annotations: { idempotentHint: idempotent } };
}

/**
 * Converts text lengths, which our schemas keep as `x-length` because they count code points, to JSON Schema's, which
 * also count code points.
 */
function toJsonSchemaLengths(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('x-length' in value)) return value;
  const { 'x-length': lengths, ...rest } = value as { 'x-length': readonly [number, number] };
  return { ...rest, minLength: lengths[0], maxLength: lengths[1] };
}

async function call(
  { registry, user, onCall }: Callee,
  givenName: string,
  parameters: object,
  extra: CallExtra,
): Promise<CallToolResult> {
  const fault = await registry.awaitTool(givenName, extra.signal);
  if (fault) return failed(fault.message);
  const name = registry.find(givenName) ? givenName : createNames(registry).decode(givenName);
  const callId = randomUUID();
  const { signal } = extra;
  const review = registry.refuse(name, parameters, user)
    ? { needsApproval: registry.needsApproval(name) }
    : await registry.review(name, parameters, { ...user, callId, signal });
  if ('code' in review) return failed(review.message);
  if (review.needsApproval) return failed(`The tool "${name}" needs approval, which is not available over MCP`);
  if (registry.find(name)) await onCall(name, parameters, callId);
  const outcome = await registry.execute(name, parameters, {
    ...user,
    callId,
    signal,
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
    // A caller that has disconnected needs no progress.
    sendNotification({
      method: 'notifications/progress',
      params: { progressToken, progress: ++progress, message },
    }).catch(() => {});
  };
}
