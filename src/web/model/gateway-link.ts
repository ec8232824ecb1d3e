import {
  GatewayClient,
  GatewayError,
  PROTOCOL_VERSION,
  type ConnectionEndedError,
  type ConnectionState,
  type OutboundFrame,
  type WebchatIdentity,
} from '../../client/index.js';
import { describeLink, diagnose, type LinkQuality } from './link-quality.js';
import type { PageStorage } from './page-storage.js';
import { Signal } from './signal.js';
import { texts } from '../texts.js';

/** The state of the page as a whole. */
export type Stage =
  | { readonly name: 'starting' }
  | { readonly name: 'chatting' }
  | { readonly name: 'signed-out'; readonly problem: string | undefined; readonly isTrying?: boolean }
  | {
      readonly name: 'stopped';
      readonly heading: string;
      readonly problem: string;
      readonly remedy: 'reload' | 'take-over';
    };

/** The gateway has identified the page; happens again after each reconnect. */
export interface Identification {
  /** Whether the client is new and so follows no session yet. */
  readonly isFirst: boolean;
  /** The session of a page that is bound to one sender. */
  readonly latestSessionId: string | undefined;
}

/** Used until the gateway has sent its own. */
const DEFAULT_MAX_FRAME_BYTES = 262_144;

/** The page's one connection: signing in, staying connected, and the reasons why it is not. */
export class GatewayLink {
  readonly changed = new Signal();
  readonly identified = new Signal<Identification>();
  /** Every frame that the client emits; see `GatewayClientEvents`. */
  readonly frames = new Signal<{ readonly frame: OutboundFrame; readonly isLive: boolean }>();
  /** The gateway refused something that belongs to no message and no request; with its reason. */
  readonly refused = new Signal<string>();
  /** The connection was lost. */
  readonly interrupted = new Signal();
  stage: Stage = { name: 'starting' };
  quality: LinkQuality = 'connecting';
  /** Whether the gateway is healthy and yet refuses this page. */
  isRefused = false;
  identity: WebchatIdentity | undefined;
  #client: GatewayClient | undefined;
  #isGoingAway = false;
  #wasConnected = false;

  constructor(
    private readonly storage: PageStorage,
    /** The origin of the page and its gateway: the token is sent there only. */
    private readonly origin: string,
  ) {}

  get client(): GatewayClient | undefined {
    return this.#client;
  }

  /** The agent's name, or the product's until the gateway has sent it. */
  get agentName(): string {
    return this.identity?.agent_name ?? texts.productName;
  }

  get maxFrameBytes(): number {
    const state = this.#client?.state;
    return state?.name === 'connected' ? state.connected.limits.max_frame_bytes : DEFAULT_MAX_FRAME_BYTES;
  }

  /** Whether the page is connected with a scope. */
  may(scope: string): boolean {
    const state = this.#client?.state;
    return state?.name === 'connected' && state.connected.scopes.includes(scope);
  }

  /** Connects with the tab's stored token. `problem`: shown if that does not suffice; `stage`: shown meanwhile. */
  start(problem?: string, stage: Stage = { name: 'starting' }): void {
    this.#client?.close();
    this.#wasConnected = false;
    this.#isGoingAway = false;
    this.stage = stage;
    const { token } = this.storage;
    const client = new GatewayClient({
      url: this.origin,
      clientId: this.storage.clientId,
      stream: 'delta',
      delivery: 'manual',
      ...(token === undefined ? {} : { token }),
    });
    this.#client = client;
    client.on('state', (state) => client === this.#client && this.#enter(client, state, problem));
    client.on('frame', (frame, isLive) => client === this.#client && this.#take(frame, isLive));
    client.on('error', ({ message }) => client === this.#client && this.refused.emit(message));
    // Its end is a `state`.
    void client.connect().catch(() => {});
    this.changed.emit();
  }

  signIn(token: string): void {
    this.storage.token = token;
    this.start(undefined, { name: 'signed-out', problem: undefined, isTrying: true });
  }

  signOut(problem?: string): void {
    this.storage.token = undefined;
    this.identity = undefined;
    this.stage = { name: 'signed-out', problem };
    this.#client?.close();
    this.changed.emit();
  }

  /** Goes on in this tab, under another client id. */
  takeOver(): void {
    this.storage.renewClientId();
    this.start();
  }

  /** Makes the next attempt to connect at once. */
  reconnect(): void {
    if (this.stage.name === 'starting' || this.stage.name === 'chatting') void this.#client?.connect().catch(() => {});
  }

  /** The machine went online or offline. */
  networkChanged(): void {
    if (navigator.onLine) this.reconnect();
    this.#judge();
  }

  #enter(client: GatewayClient, state: ConnectionState, problem: string | undefined): void {
    if (state.name === 'connected') {
      this.#isGoingAway = false;
      this.isRefused = false;
      const { protocol, session_id } = state.connected;
      if (protocol === PROTOCOL_VERSION) void this.#identify(client, session_id);
      else this.#stopAtProtocol(protocol);
    } else if (state.name === 'waiting') {
      this.interrupted.emit();
      if (!this.#wasConnected) void this.#diagnose(client);
    } else if (state.name === 'ended') {
      this.#end(state.error, problem);
    }
    this.#judge();
  }

  #take(frame: OutboundFrame, isLive: boolean): void {
    if (frame.type !== 'going_away') return this.frames.emit({ frame, isLive });
    this.#isGoingAway = true;
    this.#judge();
  }

  async #identify(client: GatewayClient, latestSessionId: string | undefined): Promise<void> {
    try {
      this.identity = (await client.ask('webchat.identify', {})) as WebchatIdentity;
      if (client !== this.#client) return;
      const isFirst = !this.#wasConnected;
      this.#wasConnected = true;
      this.stage = { name: 'chatting' };
      this.identified.emit({ isFirst, latestSessionId });
    } catch (error) {
      // Any other error is the connection's, which has a state of its own.
      if (error instanceof GatewayError && client === this.#client)
        this.signOut(texts.signIn.notForChat(error.message));
    }
    this.#judge();
  }

  #end({ code, reason }: ConnectionEndedError, problem: string | undefined): void {
    if (this.stage.name === 'stopped' || (this.stage.name === 'signed-out' && !this.stage.isTrying)) return;
    if (code === 4001) {
      const isWrong = this.storage.token !== undefined;
      this.signOut(this.#wasConnected ? texts.signIn.ended : isWrong ? texts.signIn.wrong : problem);
    } else if (code === 4010) {
      this.stage = { name: 'stopped', ...texts.stopped.replaced, remedy: 'take-over' };
    } else {
      this.stage = { name: 'stopped', ...texts.stopped.unusable(code, reason), remedy: 'reload' };
    }
  }

  #stopAtProtocol(theirs: number): void {
    this.stage = { name: 'stopped', ...texts.stopped.protocol(PROTOCOL_VERSION, theirs), remedy: 'reload' };
    // Not at once: the client is still emitting that it is connected.
    queueMicrotask(() => this.#client?.close());
  }

  async #diagnose(client: GatewayClient): Promise<void> {
    const finding = await diagnose();
    if (client !== this.#client || this.#wasConnected) return;
    this.isRefused = finding === 'refused';
    this.changed.emit();
  }

  #judge(): void {
    if (this.#client) {
      const facts = { isGoingAway: this.#isGoingAway, isOnline: navigator.onLine, wasConnected: this.#wasConnected };
      this.quality = describeLink(this.#client.state, facts);
    }
    this.changed.emit();
  }
}
