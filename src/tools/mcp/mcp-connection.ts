import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { CallToolResult, Progress, Tool } from '@modelcontextprotocol/sdk/types.js';
import type { JsonSchemaValidatorResult } from '@modelcontextprotocol/sdk/validation/types.js';
import type { McpServerSetting } from '../../core/config/mcp-settings.js';
import { VERSION } from '../../core/lifecycle/version.js';

/** How long a server may take to say who it is and what it has, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 30_000;
/** Of one message, in bytes; a server that sends more is left. */
const MAX_MESSAGE_BYTES = 16_777_216;
const MAX_PAGES = 50;
/** More tools than any model can choose from. */
const MAX_TOOLS = 256;

/** What a connection tells its owner. */
export interface McpListener {
  readonly onClose: () => void;
  readonly onToolsChanged: () => void;
  /** What the server's program writes for people. */
  readonly onText: (text: string) => void;
}

/** What a call may take, and whom it tells how far it is. */
export interface McpCallOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly onProgress: (progress: Progress) => void;
}

/** A connection to one MCP server, by whatever way. */
export interface McpConnection {
  listTools(): Promise<readonly Tool[]>;
  callTool(name: string, parameters: Record<string, unknown>, options: McpCallOptions): Promise<CallToolResult>;
  /** Ends it, and the program behind it. */
  close(): Promise<void>;
}

/** Connects to a server. Rejects when it does not answer as one. */
export type ConnectMcp = (setting: McpServerSetting, listener: McpListener) => Promise<McpConnection>;

/** Over stdio to a program that is started for it, or over Streamable HTTP. */
export const connectMcp: ConnectMcp = async (setting, listener) => {
  // Loaded with the first server: a gateway without any does not pay for it.
  const [sdk, { ToolListChangedNotificationSchema, McpError }] = await Promise.all([
    import('@modelcontextprotocol/sdk/client/index.js'),
    import('@modelcontextprotocol/sdk/types.js'),
  ]);
  const client = new sdk.Client(
    { name: 'openclaw-gateway', version: VERSION },
    { jsonSchemaValidator: { getValidator: <T>() => acceptAll<T> } },
  );
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's clients are no event targets
  client.onclose = listener.onClose;
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => listener.onToolsChanged());
  const transport =
    setting.url === undefined ? await startProgram(setting, listener) : await callAddress(setting.url, setting.headers);
  try {
    await client.connect(transport, { timeout: HANDSHAKE_TIMEOUT_MS });
  } catch (error) {
    await transport.close();
    throw error;
  }
  return wrap(client, (error) => error instanceof McpError);
};

/** Schemas of answers are the server's own and are not compiled here: answers are only shown. */
function acceptAll<T>(input: unknown): JsonSchemaValidatorResult<T> {
  return { valid: true, data: input as T, errorMessage: undefined };
}

async function startProgram(
  { command = '', args = [], env = {} }: McpServerSetting,
  listener: McpListener,
): Promise<Transport> {
  const { StdioClientTransport, DEFAULT_INHERITED_ENV_VARS } =
    await import('@modelcontextprotocol/sdk/client/stdio.js');
  // The SDK adds what it deems harmless; an undefined value takes it away again.
  const cleared = Object.fromEntries(
    DEFAULT_INHERITED_ENV_VARS.filter((name) => name !== 'PATH').map((name) => [name, undefined]),
  );
  const environment = { ...cleared, ...env } as Record<string, string>;
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: environment,
    stderr: 'pipe',
    maxBufferSize: MAX_MESSAGE_BYTES,
  });
  transport.stderr?.on('data', (chunk: Buffer) => listener.onText(chunk.toString()));
  return transport;
}

async function callAddress(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Transport> {
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
  // Credentials stay with the address that they were configured for.
  const requestInit: RequestInit = { headers: { ...headers }, redirect: 'error' };
  return new StreamableHTTPClientTransport(new URL(url), { requestInit });
}

/** @param isAnswer whether an error is what the server said, and not that it could not be reached */
function wrap(client: Client, isAnswer: (error: unknown) => boolean): McpConnection {
  return {
    async listTools() {
      const tools: Tool[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < MAX_PAGES && tools.length < MAX_TOOLS; page++) {
        const { tools: found, nextCursor } = await client.listTools(cursor === undefined ? {} : { cursor }, {
          timeout: HANDSHAKE_TIMEOUT_MS,
        });
        tools.push(...found);
        if (nextCursor === undefined) break;
        cursor = nextCursor;
      }
      return tools.slice(0, MAX_TOOLS);
    },
    async callTool(name, parameters, { signal, timeoutMs, onProgress }) {
      const options = { signal, timeout: timeoutMs, maxTotalTimeout: timeoutMs, onprogress: onProgress };
      try {
        return (await client.callTool({ name, arguments: parameters }, undefined, options)) as CallToolResult;
      } catch (error) {
        // Over HTTP nothing else tells that a server has gone, or has forgotten us.
        if (!signal.aborted && !isAnswer(error)) await client.close();
        throw error;
      }
    },
    close: () => client.close(),
  };
}
