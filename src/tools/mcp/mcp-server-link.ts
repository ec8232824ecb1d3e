import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import type { McpServerSetting } from '../../core/config/mcp-settings.js';
import type { Log } from '../../core/telemetry/logs.js';
import type { Clock } from '../../core/time/clock.js';
import type { ToolRegistryService } from '../../core/tools/tool-registry.service.js';
import type { ToolCallContext, ToolDefinition } from '../../core/tools/tool.js';
import { toPlainText } from '../plain-text.js';
import type { ConnectMcp, McpConnection } from './mcp-connection.js';
import { describeProgress, readResult, type McpResult } from './mcp-result.js';
import { makeTool } from './mcp-tool.js';

const DEFAULT_TIMEOUT_MS = 60_000;
/** Between attempts, in milliseconds: doubled with each that failed. */
const BACKOFF = { first: 1_000, most: 60_000 };
/** A connection that has lived so long begins anew with the shortest wait. */
const PROVEN_AFTER_MS = 60_000;
/** No more often than this is told how far a call is, in milliseconds: each time is a durable frame. */
const PROGRESS_EVERY_MS = 1_000;
const MAX_LOGGED_LENGTH = 1_000;

/** What a link needs of the gateway. */
export interface McpLinkParts {
  readonly registry: ToolRegistryService;
  readonly clock: Clock;
  readonly log: Log;
  readonly connect: ConnectMcp;
}

/** Keeps a connection to one MCP server, and its tools in the registry for as long as it lasts. */
export class McpServerLink {
  private readonly stopping = new AbortController();
  private readonly registered: string[] = [];
  private current: McpConnection | undefined;
  private refreshing: Promise<void> = Promise.resolve();

  constructor(
    private readonly name: string,
    private readonly setting: McpServerSetting,
    private readonly parts: McpLinkParts,
  ) {}

  /** Connects, again and again, until {@link stop}. Never rejects. */
  async run(): Promise<void> {
    const { clock, log } = this.parts;
    let waitMs = BACKOFF.first;
    while (!this.stopping.signal.aborted) {
      const startedAt = clock.now();
      try {
        await this.serve();
        log.warn({ server: this.name }, 'the connection to an MCP server has ended');
      } catch (error) {
        log.warn({ server: this.name, error }, 'no connection to an MCP server');
      }
      if (clock.now() - startedAt >= PROVEN_AFTER_MS) waitMs = BACKOFF.first;
      await clock.sleep(waitMs, this.stopping.signal);
      waitMs = Math.min(waitMs * 2, BACKOFF.most);
    }
  }

  stop(): void {
    this.stopping.abort();
  }

  /** One connection, from its beginning to its end. */
  private async serve(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    const { signal } = this.stopping;
    const listener = {
      onClose: () => closed.resolve(),
      onToolsChanged: () => void (this.current && this.refresh(this.current)),
      onText: (text: string) =>
        this.parts.log.debug(
          { server: this.name, text: toPlainText(text).slice(0, MAX_LOGGED_LENGTH) },
          'an MCP server says',
        ),
    };
    const connection = await this.parts.connect(this.setting, listener);
    this.current = connection;
    signal.addEventListener('abort', listener.onClose, { once: true });
    try {
      if (signal.aborted) return;
      await this.refresh(connection);
      await closed.promise;
    } finally {
      signal.removeEventListener('abort', listener.onClose);
      this.current = undefined;
      this.unregister();
      await connection.close();
    }
  }

  /** Brings the registry up to date; one after the other. A server that cannot tell its tools has none. */
  private refresh(connection: McpConnection): Promise<void> {
    this.refreshing = this.refreshAfter(this.refreshing, connection);
    return this.refreshing;
  }

  private async refreshAfter(earlier: Promise<void>, connection: McpConnection): Promise<void> {
    await earlier;
    try {
      const tools = await connection.listTools();
      const definitions = await Promise.all(tools.map((tool) => this.define(connection, tool)));
      if (connection !== this.current) return;
      this.unregister();
      for (const definition of definitions) if (definition) this.register(definition);
      this.parts.log.info({ server: this.name, tools: this.registered.length }, 'tools of an MCP server');
    } catch (error) {
      this.parts.log.warn({ server: this.name, error }, 'an MCP server does not tell its tools');
    }
  }

  private async define(connection: McpConnection, tool: Tool): Promise<ToolDefinition | undefined> {
    const timeoutMs = this.setting.timeout_ms ?? DEFAULT_TIMEOUT_MS;
    try {
      return await makeTool(this.name, tool, timeoutMs, (parameters, context) =>
        this.call(connection, tool.name, parameters as Record<string, unknown>, context, timeoutMs),
      );
    } catch (error) {
      this.refuse(tool.name, error);
      return undefined;
    }
  }

  private register(definition: ToolDefinition): void {
    try {
      this.parts.registry.register(definition);
      this.registered.push(definition.name);
    } catch (error) {
      this.refuse(definition.name, error);
    }
  }

  private refuse(tool: string, error: unknown): void {
    this.parts.log.warn(
      { server: this.name, tool: toPlainText(tool), error },
      'a tool of an MCP server cannot be used',
    );
  }

  private unregister(): void {
    for (const name of this.registered.splice(0)) this.parts.registry.unregister(name);
  }

  private async call(
    connection: McpConnection,
    tool: string,
    parameters: Record<string, unknown>,
    { signal, reportProgress }: ToolCallContext,
    timeoutMs: number,
  ): Promise<McpResult> {
    let toldAt = Number.NEGATIVE_INFINITY;
    const onProgress = (progress: Parameters<typeof describeProgress>[0]) => {
      const now = this.parts.clock.now();
      if (now - toldAt < PROGRESS_EVERY_MS) return;
      toldAt = now;
      reportProgress(describeProgress(progress));
    };
    return readResult(await connection.callTool(tool, parameters, { signal, timeoutMs, onProgress }));
  }
}
