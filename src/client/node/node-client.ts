import type { OutboundFrame } from '../../protocol/index.js';
import type { NodeRegisteredPayload } from '../../protocol/outbound.js';
import type { NodeCommand, NodeEventPayload, NodeRegisterPayload, ToolResultPayload } from '../../protocol/nodes.js';
import { countBytes, encodeInbound, newId } from '../frames.js';
import type { SocketConstructor } from '../link.js';
import { Listeners } from '../listeners.js';
import { systemTimers, type Timers } from '../timers.js';
import { CallBook } from './call-book.js';
import { CallRunner, failed } from './call-runner.js';
import { CommandError, NodeMedia, type NodeCommandSetup } from './commands.js';
import { EventOutbox } from './event-outbox.js';
import { fitsFrame } from './fits-frame.js';
import { addressOf, NodeIdentity } from './identity.js';
import { NodeLine, type NodeState } from './node-line.js';
import type { NodeStorage } from './storage.js';

const MAX_REGISTER_PAUSE_MS = 60_000;

/** Room for the parts of a result's frame besides its content, in bytes. */
const ENVELOPE_BYTES = 1_024;

/** HTTP status of an upload that is too large. */
const TOO_LARGE = 413;
const TOO_LARGE_CODE = 'RESULT_TOO_LARGE';

type NodeFrame =
  | [type: 'node_register', payload: NodeRegisterPayload]
  | [type: 'tool_result', payload: ToolResultPayload]
  | [type: 'node_event', payload: NodeEventPayload];

export interface NodeClientOptions {
  /** `http://`, `https://`, `ws://` or `wss://`, host and port of the gateway. */
  readonly url: string;
  /** Holds the identity, see `pairNode`, and the results of calls. */
  readonly storage: NodeStorage;
  readonly commands: readonly NodeCommandSetup[];
  /** For people: `linux x64`, `1.0.0`. */
  readonly platform?: string;
  readonly version?: string;
  /** A token of role `node` in place of an identity, with the ID of the node. */
  readonly token?: { readonly value: string; readonly nodeId: string };
  /** The platform's own by default. */
  readonly WebSocket?: SocketConstructor;
  readonly fetch?: typeof fetch;
  readonly timers?: Timers;
}

/** The events of a node and their arguments. */
export interface NodeClientEvents {
  state: [state: NodeState];
  /** The outcome for each command. */
  registered: [payload: NodeRegisteredPayload];
  /** The gateway has refused a frame. */
  error: [error: { readonly code: string; readonly message: string }];
}

/**
 * A device node: it offers commands to the agents of a gateway, in Node and in browsers. It stays connected. Each call is
 * recorded before it starts, and its result is kept until the gateway has it, so a lost connection or a restart on either
 * side starts nothing twice and loses nothing.
 */
export class NodeClient {
  readonly nodeId: string;
  readonly #listeners = new Listeners<NodeClientEvents>();
  readonly #timers: Timers;
  readonly #line: NodeLine;
  readonly #book: CallBook;
  readonly #runner: CallRunner;
  readonly #events: EventOutbox;
  readonly #makeCredential: (now: number) => Promise<string>;
  /** The results that were sent on this connection, and not acknowledged. */
  readonly #sent = new Map<string, number>();
  /** Frames of this connection whose refusal matters, by their IDs, each with its subject. */
  readonly #awaited = new Map<string, 'register' | 'events' | { readonly callId: string }>();
  #stopRegister: (() => void) | undefined;
  #unlock: (() => void) | undefined;
  #isHidden = false;

  private constructor(
    private readonly options: NodeClientOptions,
    nodeId: string,
    makeCredential: (now: number) => Promise<string>,
  ) {
    const { url, storage, commands, timers = systemTimers } = options;
    this.nodeId = nodeId;
    this.#timers = timers;
    this.#makeCredential = makeCredential;
    this.#book = new CallBook(storage, () => timers.now());
    const byName = new Map(commands.map((command) => [command.name, command]));
    this.#runner = new CallRunner(byName, this.#book, timers, {
      sendResult: (result) => this.#sendResult(result),
      sendProgress: (callId, detail) =>
        this.#notify(['node_event', { call_id: callId, event: 'progress', data: { detail } }]),
      prepare: (callId, content, signal) => this.#prepare(callId, content, signal),
    });
    this.#events = new EventOutbox(
      storage,
      timers,
      (payload) => this.state.name === 'registered' && this.#notify(['node_event', payload], 'events'),
    );
    this.#line = new NodeLine(
      { url, clientId: nodeId, makeCredential, WebSocket: options.WebSocket ?? WebSocket, timers },
      {
        state: (state) => this.#listeners.emit('state', state),
        connected: () => this.#register(),
        frame: (frame) => this.#receive(frame),
        lost: (tooBig) => this.#lost(tooBig),
      },
    );
  }

  /**
   * Makes a node of what its storage holds. Resolves with undefined if it is not paired.
   * @throws Error when the storage cannot be read, or another program has it
   */
  static async open(options: NodeClientOptions): Promise<NodeClient | undefined> {
    const { token, storage } = options;
    const identity = token ? undefined : await NodeIdentity.load(storage);
    const nodeId = token?.nodeId ?? identity?.nodeId;
    if (nodeId === undefined) return undefined;
    const client = new NodeClient(options, nodeId, async (now) => token?.value ?? identity?.makeCredential(now) ?? '');
    client.#unlock = await storage.lock?.();
    try {
      await client.#book.load();
      await client.#events.load();
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  get state(): NodeState {
    return this.#line.state;
  }

  /** Calls `listener` on each event. Returns a function that unsubscribes it. */
  on<K extends keyof NodeClientEvents>(name: K, listener: (...args: NodeClientEvents[K]) => void): () => void {
    return this.#listeners.on(name, listener);
  }

  /** Connects, and stays connected until `close()`. When it is connected, it checks that the gateway responds. */
  connect(): void {
    this.#line.open();
  }

  /** Disconnects, and ends the calls that run. */
  close(): void {
    this.#runner.cancelAll();
    this.#line.close();
    this.#unlock?.();
    this.#unlock = undefined;
  }

  /** Reports that something happened. Resolves once the event is kept; it is sent until the gateway has it. */
  async emit(event: string, data?: unknown): Promise<void> {
    await this.#events.add({ event_id: newId(), event, ...(data !== undefined && { data }) });
  }

  /** Reports whether the page of this node is in front. Calls of a hidden page end at once. */
  setHidden(isHidden: boolean): void {
    this.#isHidden = isHidden;
    if (this.state.name === 'registered')
      this.#notify(['node_event', { event: isHidden ? 'node.hidden' : 'node.visible' }]);
    // A page that was away may have a line that only looks open.
    if (!isHidden) this.#line.open();
  }

  #register(): void {
    const { platform, version } = this.options;
    const payload = {
      node_id: this.nodeId,
      commands: this.options.commands.map(describeCommand),
      ...(platform !== undefined && { platform }),
      ...(version !== undefined && { version }),
    };
    this.#notify(['node_register', payload], 'register');
  }

  #lost(tooBig: boolean): void {
    this.#stopRegister?.();
    this.#events.disconnected();
    if (tooBig) void this.#replaceLargest();
    this.#sent.clear();
    this.#awaited.clear();
  }

  #receive(frame: OutboundFrame): void {
    if (frame.type !== 'error') this.#awaited.delete(frame.correlation_id ?? '');
    switch (frame.type) {
      case 'node_registered':
        return this.#registered(frame.payload);
      case 'tool_call':
        return void this.#runner.call(frame);
      case 'tool_cancel':
        return this.#runner.cancel(frame.payload.call_id);
      case 'tool_result_ack':
        this.#sent.delete(frame.payload.call_id);
        return void this.#book.acknowledge(frame.payload.call_id).catch(() => {});
      case 'node_event_ack':
        return void this.#events.acknowledge(frame.payload.event_id).catch(() => {});
      case 'error':
        return this.#refused(frame);
      default:
    }
  }

  #registered(payload: NodeRegisteredPayload): void {
    this.#line.registered();
    this.#listeners.emit('registered', payload);
    if (this.#isHidden) this.#notify(['node_event', { event: 'node.hidden' }]);
    for (const result of this.#book.listUnacknowledged()) this.#sendResult(result);
    this.#events.connected();
  }

  #refused({ payload, correlation_id: frameId }: OutboundFrame<'error'>): void {
    const { code, message, retryable, retry_after_ms: retryAfterMs = 1_000 } = payload;
    this.#listeners.emit('error', { code, message });
    const about = this.#awaited.get(frameId ?? '');
    this.#awaited.delete(frameId ?? '');
    if (about === undefined) return;
    if (about === 'events') return void this.#events.refuse(retryable ? retryAfterMs : undefined).catch(() => {});
    if (about !== 'register') return this.#resultRefused(about, retryable ? retryAfterMs : undefined, message);
    if (!retryable) return this.#line.close(1000, message);
    this.#stopRegister = this.#timers.setTimer(Math.min(retryAfterMs, MAX_REGISTER_PAUSE_MS), () => this.#register());
  }

  /** A result that the gateway cannot take now is sent again. One that it never takes is replaced. */
  #resultRefused({ callId }: { readonly callId: string }, retryAfterMs: number | undefined, message: string): void {
    if (retryAfterMs === undefined) return void this.#replace(callId, 'RESULT_REFUSED', message);
    this.#timers.setTimer(retryAfterMs, () => {
      const result = this.#book.find(callId)?.result;
      if (result && this.#sent.has(callId)) this.#sendResult(result);
    });
  }

  /** Sends a result if it fits, and otherwise a failure that does. */
  #sendResult(result: ToolResultPayload): boolean {
    if (this.state.name !== 'registered') return false;
    const id = newId();
    const text = this.#encode(id, 'tool_result', result);
    const { maxFrameBytes } = this.#line;
    const bytes = countBytes(text, maxFrameBytes);
    if (bytes > maxFrameBytes) {
      void this.#replace(
        result.call_id,
        TOO_LARGE_CODE,
        `the result has ${bytes} bytes; the gateway accepts ${maxFrameBytes}`,
      );
      return true;
    }
    this.#sent.set(result.call_id, bytes);
    this.#awaited.set(id, { callId: result.call_id });
    return this.#line.send(text);
  }

  /** After a close because of a frame's size, the largest result is never sent again. */
  async #replaceLargest(): Promise<void> {
    const [largest] = [...this.#sent].sort(([, a], [, b]) => b - a);
    if (largest) await this.#replace(largest[0], TOO_LARGE_CODE, 'the gateway does not accept a result of this size');
  }

  async #replace(callId: string, code: string, message: string): Promise<void> {
    const result = failed(callId, code, message);
    await this.#book.end(callId, result).catch(() => {});
    this.#sendResult(result);
  }

  #prepare(callId: string, content: unknown, signal: AbortSignal): unknown {
    if (content instanceof NodeMedia) return this.#upload(callId, content, signal);
    const text = JSON.stringify(content ?? null);
    const room = this.#line.maxFrameBytes - ENVELOPE_BYTES;
    if (countBytes(text, room) <= room && fitsFrame(text)) return content;
    return this.#upload(callId, new NodeMedia(new TextEncoder().encode(text)), signal);
  }

  async #upload(callId: string, media: NodeMedia, signal: AbortSignal): Promise<object> {
    // A connection that the gateway has closed meanwhile fails at its next use.
    const response = await this.#post(callId, media, signal).catch(() => this.#post(callId, media, signal));
    const body = (await response.json().catch(() => ({}))) as { detail?: string };
    if (response.ok) return body;
    const code = response.status === TOO_LARGE ? TOO_LARGE_CODE : 'UPLOAD_FAILED';
    throw new CommandError(code, body.detail ?? `the gateway responds with HTTP ${response.status}`);
  }

  async #post(callId: string, media: NodeMedia, signal: AbortSignal): Promise<Response> {
    signal.throwIfAborted();
    const address = addressOf(this.options.url, `media?call_id=${encodeURIComponent(callId)}`);
    const credential = await this.#makeCredential(this.#line.now);
    return (this.options.fetch ?? fetch)(address, {
      method: 'POST',
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/octet-stream' },
      body: media.bytes as Uint8Array<ArrayBuffer> | Blob,
      signal,
    });
  }

  #encode(id: string, ...[type, payload]: NodeFrame): string {
    return encodeInbound(type, id, this.#timers.now(), payload as never);
  }

  /** Sends a frame. `about`: what a refusal of it is about, if it matters. Returns false without a connection. */
  #notify(frame: NodeFrame, about?: 'register' | 'events'): boolean {
    const id = newId();
    if (!this.#line.send(this.#encode(id, ...frame))) return false;
    if (about) this.#awaited.set(id, about);
    return true;
  }
}

function describeCommand(command: NodeCommandSetup): NodeCommand {
  const { name, description, parameters, permissions, timeoutMs, idempotent, dangerous } = command;
  return {
    name,
    description,
    parameters: { ...parameters },
    ...(permissions && { permissions: [...permissions] }),
    ...(timeoutMs !== undefined && { timeout_ms: timeoutMs }),
    ...(idempotent !== undefined && { idempotent }),
    ...(dangerous !== undefined && { dangerous }),
  };
}
