import {
  GatewayClient,
  GatewayError,
  PROTOCOL_VERSION,
  type ConnectionEndedError,
  type ConnectionState,
  type OutboundFrame,
} from '../client/index.js';
import { describeLink, diagnose, type LinkQuality } from './link-quality.js';
import type { Memory } from './memory.js';
import { texts } from './texts.js';

/** What the page is showing. */
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

/** Whom the gateway takes this page for (`webchat.identity`). */
export interface Identity {
  /** The one sender that it may speak as; missing: any. */
  readonly sender?: string;
  readonly agent_name: string;
  /** What answers: `builtin`, or a model's runtime. */
  readonly agent_runtime: string;
}

/** What a {@link GatewayLink} tells its owner. */
export interface GatewayLinkEvents {
  /**
   * The gateway has said whom it takes the page for; again after each reconnect. `isFirst`: a new client, which knows
   * nothing yet. `latestSessionId`: of a page that is bound to one sender.
   */
  identified(facts: { readonly isFirst: boolean; readonly latestSessionId: string | undefined }): void;
  frame(frame: OutboundFrame): void;
  /** Something was refused that belongs to no message and no question. */
  refused(reason: string): void;
  /** The connection was lost. */
  interrupted(): void;
  changed(): void;
}

/** Used until the gateway has told its own. */
const DEFAULT_MAX_FRAME_BYTES = 262_144;

/** The page's one connection: signing in, staying connected, and the reasons why it is not. */
export class GatewayLink {
  stage: Stage = { name: 'starting' };
  quality: LinkQuality = 'connecting';
  /** The gateway is well and yet refuses this page. */
  isRefused = false;
  identity: Identity | undefined;
  #client: GatewayClient | undefined;
  #isGoingAway = false;
  #wasConnected = false;

  constructor(
    private readonly memory: Memory,
    /** Of the page, and so of its gateway: the token goes nowhere else. */
    private readonly origin: string,
    private readonly events: GatewayLinkEvents,
  ) {}

  get client(): GatewayClient | undefined {
    return this.#client;
  }

  get maxFrameBytes(): number {
    const state = this.#client?.state;
    return state?.name === 'connected' ? state.connected.limits.max_frame_bytes : DEFAULT_MAX_FRAME_BYTES;
  }

  /** Whether the gateway lets this page do something right now. */
  may(scope: string): boolean {
    const state = this.#client?.state;
    return state?.name === 'connected' && state.connected.scopes.includes(scope);
  }

  /** Connects with what the tab remembers. `problem`: told if that is not enough; `stage`: shown meanwhile. */
  start(problem?: string, stage: Stage = { name: 'starting' }): void {
    this.#client?.close();
    this.#wasConnected = false;
    this.#isGoingAway = false;
    this.stage = stage;
    const { token } = this.memory;
    const client = new GatewayClient({
      url: this.origin,
      clientId: this.memory.clientId,
      stream: 'delta',
      delivery: 'manual',
      ...(token === undefined ? {} : { token }),
    });
    this.#client = client;
    client.on('state', (state) => client === this.#client && this.#enter(client, state, problem));
    client.on('frame', (frame) => client === this.#client && this.#take(frame));
    client.on('error', ({ message }) => client === this.#client && this.events.refused(message));
    // How it ends is told as a state.
    void client.connect().catch(() => {});
    this.events.changed();
  }

  signIn(token: string): void {
    this.memory.token = token;
    this.start(undefined, { name: 'signed-out', problem: undefined, isTrying: true });
  }

  signOut(problem?: string): void {
    this.memory.token = undefined;
    this.identity = undefined;
    this.stage = { name: 'signed-out', problem };
    this.#client?.close();
    this.events.changed();
  }

  /** Goes on in this tab, as a client of its own. */
  takeOver(): void {
    this.memory.renewClientId();
    this.start();
  }

  /** Tries at once what would be tried later. */
  reconnect(): void {
    if (this.stage.name === 'starting' || this.stage.name === 'chatting') void this.#client?.connect().catch(() => {});
  }

  /** The network of this machine has come or gone. */
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
      this.events.interrupted();
      if (!this.#wasConnected) void this.#diagnose(client);
    } else if (state.name === 'ended') {
      this.#end(state.error, problem);
    }
    this.#judge();
  }

  #take(frame: OutboundFrame): void {
    if (frame.type !== 'going_away') return this.events.frame(frame);
    this.#isGoingAway = true;
    this.#judge();
  }

  async #identify(client: GatewayClient, latestSessionId: string | undefined): Promise<void> {
    try {
      this.identity = (await client.ask('webchat.identify', {})) as Identity;
      if (client !== this.#client) return;
      const isFirst = !this.#wasConnected;
      this.#wasConnected = true;
      this.stage = { name: 'chatting' };
      this.events.identified({ isFirst, latestSessionId });
    } catch (error) {
      // Any other error is the connection's, which tells of itself.
      if (error instanceof GatewayError && client === this.#client)
        this.signOut(texts.signIn.notForChat(error.message));
    }
    this.#judge();
  }

  #end({ code, reason }: ConnectionEndedError, problem: string | undefined): void {
    if (this.stage.name === 'stopped' || (this.stage.name === 'signed-out' && !this.stage.isTrying)) return;
    if (code === 4001) {
      const isWrong = this.memory.token !== undefined;
      this.signOut(this.#wasConnected ? texts.signIn.ended : isWrong ? texts.signIn.wrong : problem);
    } else if (code === 4010) {
      this.stage = { name: 'stopped', ...texts.stopped.replaced, remedy: 'take-over' };
    } else {
      this.stage = { name: 'stopped', ...texts.stopped.unusable(code, reason), remedy: 'reload' };
    }
  }

  #stopAtProtocol(theirs: number): void {
    this.stage = { name: 'stopped', ...texts.stopped.protocol(PROTOCOL_VERSION, theirs), remedy: 'reload' };
    // Not at once: the client is in the middle of telling that it is connected.
    queueMicrotask(() => this.#client?.close());
  }

  async #diagnose(client: GatewayClient): Promise<void> {
    const finding = await diagnose();
    if (client !== this.#client || this.#wasConnected) return;
    this.isRefused = finding === 'refused';
    this.events.changed();
  }

  #judge(): void {
    if (this.#client) {
      const facts = { isGoingAway: this.#isGoingAway, isOnline: navigator.onLine, wasConnected: this.#wasConnected };
      this.quality = describeLink(this.#client.state, facts);
    }
    this.events.changed();
  }
}
