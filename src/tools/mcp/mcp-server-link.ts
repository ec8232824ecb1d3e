import { setImmediate } from 'node:timers/promises';
import type { McpServerSetting } from './mcp.settings.js';
import type { Log } from '../../core/telemetry/logs.js';
import { createSecretHider } from '../../core/config/secrets.js';
import type { Clock } from '../../core/time/clock.js';
import type { ToolRegistryService } from '../../core/tools/tool-registry.service.js';
import type { ToolSource } from '../../core/tools/tool-sources.js';
import type { ToolCallContext, ToolDefinition } from '../../core/tools/tool.js';
import { toPlainText } from '../plain-text.js';
import type { ConnectMcp, McpConnection } from './mcp-connection.js';
import { describeProgress, readResult, type McpResult } from './mcp-result.js';
import { makeTool, prefixOf, readToolName } from './mcp-tool.js';

const DEFAULT_TIMEOUT_MS = 60_000;
/** Waits between attempts to connect, in milliseconds: doubled with each that failed. */
const BACKOFF = { first: 1_000, most: 60_000 };
/** A connection that has lasted so long starts again with the shortest wait, in milliseconds. */
const PROVEN_AFTER_MS = 60_000;
/** Pauses between two lists of tools, in milliseconds: changes in between become one, and a list that failed waits longer. */
const LIST_PAUSE_MS = { normal: 5_000, afterFailure: 60_000 };
/** Minimum interval between progress reports of a call, in milliseconds: each is a durable frame. */
const PROGRESS_INTERVAL_MS = 1_000;
const MAX_LOGGED_LENGTH = 1_000;
const MAX_REASON_LENGTH = 4_096;
/** What is looked at of a text for the log, in characters. */
const MAX_READ_LENGTH = 65_536;

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
  private readonly source: ToolSource;
  private readonly timeoutMs: number;
  private readonly hideSecrets: (text: string) => string;
  /** Resolves at the next change of the server's tools, and at the end of the connection. */
  private changed = Promise.withResolvers<void>();
  private lastTold = '';

  constructor(
    private readonly name: string,
    private readonly setting: McpServerSetting,
    private readonly parts: McpLinkParts,
  ) {
    this.timeoutMs = setting.timeout_ms ?? DEFAULT_TIMEOUT_MS;
    this.hideSecrets = createSecretHider([
      ...Object.values(setting.env ?? {}),
      ...Object.values(setting.headers ?? {}),
    ]);
    this.source = parts.registry.sources.add({
      label: `the MCP server ${name}`,
      prefix: prefixOf(name),
      timeoutMs: this.timeoutMs,
    });
  }

  /** Connects again and again, until {@link stop}. Never rejects. */
  async run(): Promise<void> {
    const { clock, log } = this.parts;
    const { signal } = this.stopping;
    let waitMs = BACKOFF.first;
    while (!signal.aborted) {
      const startedAt = clock.now();
      try {
        await this.serve();
        if (!signal.aborted) log.warn({ server: this.name }, 'the connection to an MCP server has ended');
      } catch (error) {
        this.source.setAway();
        if (!signal.aborted)
          log.warn({ server: this.name, reason: this.tell(error) }, 'no connection to an MCP server');
      }
      if (clock.now() - startedAt >= PROVEN_AFTER_MS) waitMs = BACKOFF.first;
      await clock.sleep(waitMs, signal);
      waitMs = Math.min(waitMs * 2, BACKOFF.most);
    }
    this.parts.registry.sources.remove(this.source);
  }

  stop(): void {
    this.stopping.abort();
  }

  /** One connection, from its beginning to its end. */
  private async serve(): Promise<void> {
    const { signal } = this.stopping;
    const ended = new AbortController();
    const end = () => {
      ended.abort();
      this.changed.resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    try {
      const connection = await this.parts.connect(this.setting, this.createListener(end), signal);
      try {
        await this.refresh(connection, ended.signal);
        this.source.setReady();
        await this.followTools(connection, ended.signal);
      } finally {
        // Back soon in most cases, so calls wait for the next attempt.
        this.source.setConnecting();
        this.unregister();
        await connection.close();
      }
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  private createListener(onClose: () => void): Parameters<ConnectMcp>[1] {
    const { log } = this.parts;
    let isNoisy = false;
    return {
      onClose,
      onToolsChanged: () => this.changed.resolve(),
      onText: (text) => {
        if (log.isEnabled('debug')) log.debug({ server: this.name, text: this.show(text) }, 'an MCP server says');
      },
      // Once for each connection: some servers write their log there.
      onNoise: (what) => {
        if (isNoisy && !log.isEnabled('debug')) return;
        log[isNoisy ? 'debug' : 'warn'](
          { server: this.name, text: this.tell(what) },
          'an MCP server sends what is no message',
        );
        isNoisy = true;
      },
    };
  }

  /** Lists the tools again after they have changed, until the connection ends. */
  private async followTools(connection: McpConnection, ended: AbortSignal): Promise<void> {
    let pauseMs = LIST_PAUSE_MS.normal;
    while (!ended.aborted) {
      await this.parts.clock.sleep(pauseMs, ended);
      await this.changed.promise;
      if (ended.aborted) return;
      try {
        await this.refresh(connection, ended);
        pauseMs = LIST_PAUSE_MS.normal;
      } catch (error) {
        this.parts.log.warn({ server: this.name, reason: this.tell(error) }, 'an MCP server does not tell its tools');
        // The known ones stay, and the list is asked for again.
        this.changed.resolve();
        pauseMs = LIST_PAUSE_MS.afterFailure;
      }
    }
  }

  /** Brings the registry up to date. Rejects when the server does not tell its tools. */
  private async refresh(connection: McpConnection, ended: AbortSignal): Promise<void> {
    if (!ended.aborted) this.changed = Promise.withResolvers();
    const definitions: ToolDefinition[] = [];
    for (const tool of await connection.listTools(ended)) {
      const definition = await this.define(connection, tool);
      if (definition) definitions.push(definition);
      // Checking a schema takes time, and other work must not wait for all of them.
      await setImmediate();
    }
    if (ended.aborted) return;
    this.unregister();
    for (const definition of definitions) this.register(definition);
    const told = this.registered.join();
    if (told !== this.lastTold)
      this.parts.log.info({ server: this.name, tools: this.registered.length }, 'tools of an MCP server');
    this.lastTold = told;
  }

  private async define(connection: McpConnection, tool: unknown): Promise<ToolDefinition | undefined> {
    const name = readToolName(tool) ?? '';
    try {
      return await makeTool(this.name, tool, this.timeoutMs, (parameters, context) =>
        this.call(connection, name, parameters as Record<string, unknown>, context),
      );
    } catch (error) {
      this.refuse(name, error);
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
      { server: this.name, tool: this.show(tool), reason: this.tell(error) },
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
  ): Promise<McpResult> {
    let toldAt = Number.NEGATIVE_INFINITY;
    const onProgress = (progress: Parameters<typeof describeProgress>[0]) => {
      const now = this.parts.clock.now();
      if (Math.abs(now - toldAt) < PROGRESS_INTERVAL_MS) return;
      toldAt = now;
      reportProgress(describeProgress(progress));
    };
    try {
      const { timeoutMs } = this;
      return readResult(await connection.callTool(tool, parameters, { signal, timeoutMs, onProgress }));
    } catch (error) {
      // oxlint-disable-next-line preserve-caught-error -- the cause holds what is hidden from the text
      throw new Error(this.tell(error));
    }
  }

  /** The reason of a failure as text for logs and people. A server, or a proxy before it, may put anything into it. */
  private tell(error: unknown): string {
    if (!(error instanceof Error)) return this.show(String(error));
    // The SDK's schema errors are pages of JSON.
    if (error.name.endsWith('ZodError')) return 'what the server sends has not the shape that MCP wants';
    return this.show(error.message, MAX_REASON_LENGTH);
  }

  /** Secrets are hidden before the text is cut, so that no part of one is left. */
  private show(text: string, maxLength = MAX_LOGGED_LENGTH): string {
    return toPlainText(this.hideSecrets(text.slice(0, MAX_READ_LENGTH)).slice(0, maxLength));
  }
}
