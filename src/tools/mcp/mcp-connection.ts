import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Progress, ResultSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Trace } from '../../core/telemetry/traceparent.js';
import type { McpServerSetting } from './mcp.settings.js';
import { VERSION } from '../../core/lifecycle/version.js';
import { createBoundedFetch } from './bounded-fetch.js';
import { PAGE_TYPE, UI_EXTENSION } from './mcp-app.js';
import { ProgramTransport } from './mcp-program.js';

/** Time limit of a handshake, and of listing all tools, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 30_000;
const PING_TIMEOUT_MS = 5_000;
/** Longest message of a server, in bytes. */
const MAX_MESSAGE_BYTES = 16_777_216;
const MAX_PAGES = 50;
/** Limit of tools per server; more than a model can choose from. */
const MAX_TOOLS = 256;
const TOO_MANY_REQUESTS = 429;

/** Callbacks of a connection. */
export interface McpListener {
  readonly onClose: () => void;
  readonly onToolsChanged: () => void;
  /** Called with text from the program's standard error. */
  readonly onText: (text: string) => void;
  /** Called with input from the server that is not a message. */
  readonly onNoise: (what: unknown) => void;
}

/** Limits of one call and its progress callback. */
export interface McpCallOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly onProgress: (progress: Progress) => void;
  /** The trace context for the server; undefined if no traces are made. */
  readonly trace?: Trace | undefined;
}

/**
 * A connection to one MCP server. Tools and results are returned unchecked, so that one malformed tool or part does not
 * affect the others.
 */
export interface McpConnection {
  /** Returns at most 256 tools. */
  listTools(signal: AbortSignal): Promise<readonly unknown[]>;
  callTool(
    name: string,
    parameters: Readonly<Record<string, unknown>>,
    options: McpCallOptions,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** Reads a resource of the server. */
  readResource(
    uri: string,
    options: Pick<McpCallOptions, 'signal' | 'timeoutMs'>,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** Ends the connection and the program behind it. */
  close(): Promise<void>;
}

/**
 * Connects to a server. Rejects if it does not behave as an MCP server, or when the signal aborts; then everything is
 * closed.
 */
export type ConnectMcp = (
  setting: McpServerSetting,
  listener: McpListener,
  signal: AbortSignal,
) => Promise<McpConnection>;

/** Starts a program and connects over stdio, or connects over Streamable HTTP. */
export const connectMcp: ConnectMcp = async (setting, listener, signal) => {
  // Loaded with the first server: a gateway without any does not pay for it.
  const [sdk, types] = await Promise.all([
    import('@modelcontextprotocol/sdk/client/index.js'),
    import('@modelcontextprotocol/sdk/types.js'),
  ]);
  const capabilities = { extensions: { [UI_EXTENSION]: { mimeTypes: [PAGE_TYPE] } } };
  const client = new sdk.Client({ name: 'openclaw-gateway', version: VERSION }, { capabilities });
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's clients are not event targets
  client.onclose = listener.onClose;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's clients are not event targets
  client.onerror = (error) => listener.onNoise(error);
  client.setNotificationHandler(types.ToolListChangedNotificationSchema, () => listener.onToolsChanged());
  const transport = await createTransport(setting, listener);
  try {
    await untilAborted(signal, (ended) => client.connect(transport, { timeout: HANDSHAKE_TIMEOUT_MS, signal: ended }));
  } catch (error) {
    await transport.close();
    throw explain(error);
  }
  return new SdkConnection(client, types.ResultSchema, (error) => error instanceof types.McpError);
};

async function createTransport(setting: McpServerSetting, listener: McpListener): Promise<Transport> {
  if (setting.url === undefined)
    return new ProgramTransport(setting, { maxMessageBytes: MAX_MESSAGE_BYTES, ...listener });
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const { UnansweredRequests } = await import('./unanswered-requests.js');
  const unanswered = new UnansweredRequests();
  // Follows redirects within the origin only, so that credentials stay with the configured address.
  const transport = new StreamableHTTPClientTransport(new URL(setting.url), {
    requestInit: { headers: { ...setting.headers } },
    fetch: unanswered.watch(createBoundedFetch(MAX_MESSAGE_BYTES)),
  });
  unanswered.attach(transport);
  return transport;
}

class SdkConnection implements McpConnection {
  private checking: Promise<void> | undefined;

  /** @param isAnswer whether an error is a response of the server, and not a failure to reach it */
  constructor(
    private readonly client: Client,
    private readonly anyResult: typeof ResultSchema,
    private readonly isAnswer: (error: unknown) => boolean,
  ) {}

  async listTools(signal: AbortSignal): Promise<readonly unknown[]> {
    try {
      return await this.listPages(signal);
    } catch (error) {
      if (this.isAnswer(error) && !this.client.getServerCapabilities()?.tools) return [];
      throw error;
    }
  }

  private async listPages(signal: AbortSignal): Promise<readonly unknown[]> {
    const tools: unknown[] = [];
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS)]);
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES && tools.length < MAX_TOOLS; page++) {
      const params = cursor === undefined ? {} : { cursor };
      const result = await untilAborted(deadline, (ended) =>
        this.client.request({ method: 'tools/list', params }, this.anyResult, { signal: ended }),
      );
      if (!Array.isArray(result['tools'])) throw new Error('its list of tools is not a list');
      tools.push(...(result['tools'] as unknown[]).slice(0, MAX_TOOLS));
      const next = result['nextCursor'];
      if (typeof next !== 'string' || next === cursor) break;
      cursor = next;
    }
    return tools.slice(0, MAX_TOOLS);
  }

  async callTool(
    name: string,
    parameters: Readonly<Record<string, unknown>>,
    { signal, timeoutMs, onProgress, trace }: McpCallOptions,
  ): Promise<Readonly<Record<string, unknown>>> {
    const options = { signal, timeout: timeoutMs, maxTotalTimeout: timeoutMs, onprogress: onProgress };
    const request = { method: 'tools/call' as const, params: { name, arguments: parameters, ...withContext(trace) } };
    try {
      return await this.client.request(request, this.anyResult, options);
    } catch (error) {
      if (!signal.aborted && !this.isAnswer(error)) this.checking ??= this.check();
      throw explain(error);
    }
  }

  async readResource(
    uri: string,
    { signal, timeoutMs }: Pick<McpCallOptions, 'signal' | 'timeoutMs'>,
  ): Promise<Readonly<Record<string, unknown>>> {
    const request = { method: 'resources/read' as const, params: { uri } };
    try {
      return await untilAborted(signal, (ended) =>
        this.client.request(request, this.anyResult, { signal: ended, timeout: timeoutMs, maxTotalTimeout: timeoutMs }),
      );
    } catch (error) {
      throw explain(error);
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /**
   * Closes the connection if a ping fails too. Over HTTP nothing else shows that a server is gone or has lost the
   * session; one refused request does not.
   */
  private async check(): Promise<void> {
    try {
      await this.client.ping({ timeout: PING_TIMEOUT_MS });
    } catch (error) {
      const isBusy = (error as { code?: unknown }).code === TOO_MANY_REQUESTS;
      if (!isBusy && !this.isAnswer(error)) await this.client.close();
    } finally {
      this.checking = undefined;
    }
  }
}

/** Returns the field of a request that names its trace, as the protocol reserves it: the same over stdio and HTTP. */
function withContext(trace: Trace | undefined): { readonly _meta?: { readonly traceparent: Trace } } {
  return trace === undefined ? {} : { _meta: { traceparent: trace } };
}

/** Puts the HTTP status, which the SDK keeps in `code`, at the beginning of the message. */
function explain(error: unknown): unknown {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  if (name !== 'Error' || typeof code !== 'number' || code < 300 || typeof message !== 'string') return error;
  const body = message.replace(/^Streamable HTTP error: (Error POSTing to endpoint: )?/, '');
  return new Error(`the server responds with HTTP status ${code}${body === '' ? '' : `: ${body}`}`, { cause: error });
}

/** Runs a request with its own signal, because the SDK leaves a listener on each signal that it gets. */
async function untilAborted<T>(signal: AbortSignal, run: (ended: AbortSignal) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  const onAbort = () => own.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await run(own.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
