import { setImmediate } from 'node:timers/promises';
import type { McpServerSetting } from './mcp.settings.js';
import type { Log } from '../../core/telemetry/logs.js';
import { createSecretHider } from '../../core/config/secrets.js';
import type { Clock } from '../../core/time/clock.js';
import type { ToolRegistryService } from '../../core/tools/tool-registry.service.js';
import type { ToolSource } from '../../core/tools/tool-sources.js';
import type { ToolCallContext, ToolDefinition } from '../../core/tools/tool.js';
import { toPlainText } from '../plain-text.js';
import { readPage, readToolUi } from './mcp-app.js';
import type { ConnectMcp, McpConnection } from './mcp-connection.js';
import { describeProgress, readResult, type McpResult } from './mcp-result.js';
import { makeTool, prefixOf, readToolName } from './mcp-tool.js';

const DEFAULT_TIMEOUT_MS = 60_000;
/** Delay between attempts to connect, in milliseconds; doubled after each failure. */
const BACKOFF = { first: 1_000, max: 60_000 };
/** Duration of a connection after which the delay is reset, in milliseconds. */
const PROVEN_AFTER_MS = 60_000;
/** Debounce of listing the tools after changes, in milliseconds; longer after a failure. */
const LIST_PAUSE_MS = { normal: 5_000, afterFailure: 60_000 };
/** Minimum interval between progress reports of a call, in milliseconds: each is a durable frame. */
const PROGRESS_INTERVAL_MS = 1_000;
/** Time limit of reading a page, in milliseconds. */
const PAGE_TIMEOUT_MS = 10_000;
const MAX_LOGGED_LENGTH = 1_000;
const MAX_REASON_LENGTH = 4_096;
/** Longest text that is processed for the log, in characters. */
const MAX_READ_LENGTH = 65_536;

/** A page of a server, with the call whose result it shows. */
export interface McpPage {
  readonly server: string;
  /** The server's name of the tool. */
  readonly tool: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** As the server returned it. */
  readonly result: Readonly<Record<string, unknown>>;
  readonly html: string;
}

/** Shows pages of servers to the person of a conversation. */
export interface McpPages {
  /** Returns whether the agent of a call may show surfaces to the person. */
  mayShow(context: ToolCallContext): boolean;
  /** @returns the name of the surface that shows it @throws Error with the reason why the page is not shown */
  show(page: McpPage, context: ToolCallContext): Promise<string>;
}

/** The parts of the gateway that a link uses. */
export interface McpLinkParts {
  readonly registry: ToolRegistryService;
  readonly clock: Clock;
  readonly log: Log;
  readonly connect: ConnectMcp;
  readonly pages: McpPages;
}

/** A tool of the server behind a connection. */
interface CalledTool {
  readonly connection: McpConnection;
  readonly name: string;
  readonly pageUri: string | undefined;
}

/** A page that was read, or why there is none. */
type ReadPage = { readonly html: string } | { readonly fault: string };

/** Maintains a connection to one MCP server, and registers its tools while connected. */
export class McpServerLink {
  private readonly stopping = new AbortController();
  private readonly registered: string[] = [];
  private readonly source: ToolSource;
  private readonly timeoutMs: number;
  private readonly hideSecrets: (text: string) => string;
  /** Resolves at the next change of the server's tools and at the end of the connection. */
  private changed = Promise.withResolvers<void>();
  private lastLogged = '';

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

  /** Connects repeatedly until {@link stop}. Never rejects. */
  async run(): Promise<void> {
    const { clock, log } = this.parts;
    const { signal } = this.stopping;
    let waitMs = BACKOFF.first;
    while (!signal.aborted) {
      const startedAt = clock.elapsed();
      try {
        await this.serve();
        if (!signal.aborted) log.warn({ server: this.name }, 'the connection to an MCP server has ended');
      } catch (error) {
        this.source.setAway();
        if (!signal.aborted)
          log.warn({ server: this.name, reason: this.describe(error) }, 'no connection to an MCP server');
      }
      if (clock.elapsed() - startedAt >= PROVEN_AFTER_MS) waitMs = BACKOFF.first;
      await clock.sleep(waitMs, signal);
      waitMs = Math.min(waitMs * 2, BACKOFF.max);
    }
    this.parts.registry.sources.remove(this.source);
  }

  stop(): void {
    this.stopping.abort();
  }

  /** Opens a connection and serves it until it ends. */
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
        // Most servers come back soon, so calls wait for the next attempt.
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
        if (log.isEnabled('debug')) log.debug({ server: this.name, text: this.show(text) }, 'output of an MCP server');
      },
      // Once per connection: some servers log there.
      onNoise: (what) => {
        if (isNoisy && !log.isEnabled('debug')) return;
        log[isNoisy ? 'debug' : 'warn'](
          { server: this.name, text: this.describe(what) },
          'an MCP server sends input that is not a message',
        );
        isNoisy = true;
      },
    };
  }

  /** Lists the tools again after changes, until the connection ends. */
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
        this.parts.log.warn(
          { server: this.name, reason: this.describe(error) },
          'an MCP server does not list its tools',
        );
        // Keeps the known tools and lists them again later.
        this.changed.resolve();
        pauseMs = LIST_PAUSE_MS.afterFailure;
      }
    }
  }

  /** Updates the registry. Rejects if the server does not list its tools. */
  private async refresh(connection: McpConnection, ended: AbortSignal): Promise<void> {
    if (!ended.aborted) this.changed = Promise.withResolvers();
    const definitions: ToolDefinition[] = [];
    for (const tool of await connection.listTools(ended)) {
      const definition = await this.define(connection, tool);
      if (definition) definitions.push(definition);
      // Yields to other work between schemas, whose checks take time.
      await setImmediate();
    }
    if (ended.aborted) return;
    this.unregister();
    for (const definition of definitions) this.register(definition);
    const tools = this.registered.join();
    if (tools !== this.lastLogged)
      this.parts.log.info({ server: this.name, tools: this.registered.length }, 'tools of an MCP server');
    this.lastLogged = tools;
  }

  private async define(connection: McpConnection, tool: unknown): Promise<ToolDefinition | undefined> {
    const name = readToolName(tool) ?? '';
    const { pageUri, isForAgents } = readToolUi(tool);
    if (!isForAgents) return undefined;
    try {
      return await makeTool(this.name, tool, this.timeoutMs, (parameters, context) =>
        this.call({ connection, name, pageUri }, parameters as Record<string, unknown>, context),
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
      { server: this.name, tool: this.show(tool), reason: this.describe(error) },
      'a tool of an MCP server cannot be used',
    );
  }

  private unregister(): void {
    for (const name of this.registered.splice(0)) this.parts.registry.unregister(name);
  }

  private async call(
    tool: CalledTool,
    parameters: Record<string, unknown>,
    context: ToolCallContext,
  ): Promise<McpResult> {
    const { connection, name, pageUri } = tool;
    const { signal, trace, reportProgress } = context;
    // Read meanwhile: the call has the time of the tool to itself.
    const page =
      pageUri !== undefined && this.parts.pages.mayShow(context) ? this.readPage(tool, pageUri, signal) : undefined;
    let reportedAt = Number.NEGATIVE_INFINITY;
    const onProgress = (progress: Parameters<typeof describeProgress>[0]) => {
      const now = this.parts.clock.elapsed();
      if (now - reportedAt < PROGRESS_INTERVAL_MS) return;
      reportedAt = now;
      reportProgress(describeProgress(progress));
    };
    try {
      const { timeoutMs } = this;
      const result = await connection.callTool(name, parameters, { signal, timeoutMs, onProgress, trace });
      const { text, note } = readResult(result);
      const shown = page && (await this.showPage({ server: this.name, tool: name, parameters, result }, page, context));
      const notes = [note, shown].filter((said) => said !== undefined);
      return { text, ...(notes.length > 0 && { note: notes.join('; ') }) };
    } catch (error) {
      // oxlint-disable-next-line preserve-caught-error -- the cause contains the secrets that are hidden in the text
      throw new Error(this.describe(error));
    }
  }

  /** Reads a page of the server. Resolves with why there is none. */
  private async readPage({ connection }: CalledTool, uri: string, signal: AbortSignal): Promise<ReadPage> {
    try {
      const response = await connection.readResource(uri, { signal, timeoutMs: PAGE_TIMEOUT_MS });
      return { html: readPage(response, uri) };
    } catch (error) {
      return { fault: this.describe(error) };
    }
  }

  /** Shows the page of a call. Returns a note for the agent. */
  private async showPage(
    about: Omit<McpPage, 'html'>,
    reading: Promise<ReadPage>,
    context: ToolCallContext,
  ): Promise<string> {
    const page = await reading;
    if ('fault' in page) return `its page is not shown: ${page.fault}`;
    try {
      const surfaceId = await this.parts.pages.show({ ...about, html: page.html }, context);
      return `the person sees its page, the surface ${surfaceId}`;
    } catch (error) {
      return `its page is not shown: ${this.describe(error)}`;
    }
  }

  /** Returns the reason of a failure as plain text. A server or a proxy may have put anything into it. */
  private describe(error: unknown): string {
    if (!(error instanceof Error)) return this.show(String(error));
    // The SDK's schema errors are pages of JSON.
    if (error.name.endsWith('ZodError')) return 'the server sent data that does not match the MCP schema';
    return this.show(error.message, MAX_REASON_LENGTH);
  }

  /** Hides secrets before the text is truncated, so that no part of one is left. */
  private show(text: string, maxLength = MAX_LOGGED_LENGTH): string {
    return toPlainText(this.hideSecrets(text.slice(0, MAX_READ_LENGTH)).slice(0, maxLength));
  }
}
