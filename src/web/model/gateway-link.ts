import {
  GatewayClient,
  GatewayError,
  PROTOCOL_VERSION,
  type ConnectionEndedError,
  type ConnectionState,
  type OutboundFrame,
  type WebchatIdentity,
} from '../../client/index.js';
import { closeTable } from '../../protocol/closes.js';
import { findReason, type LinkFinding } from './link-finding.js';
import { describeLink, type LinkQuality } from './link-quality.js';
import type { PageStorage } from './page-storage.js';
import { Signal } from './signal.js';
import { texts } from '../texts.js';

/** The state of the page as a whole. */
export type Stage =
  | { readonly name: 'starting' }
  | { readonly name: 'chatting' }
  | {
      readonly name: 'signed-out';
      readonly problem: string | undefined;
      readonly isTrying?: boolean;
      /** Returns to the page as it was; missing when there is no way back. */
      readonly goBack?: (() => void) | undefined;
    }
  | {
      readonly name: 'stopped';
      readonly heading: string;
      readonly problem: string;
      readonly remedy: 'reload' | 'take-over';
    };

/** Emitted when the gateway has identified the page, also after each reconnect. */
export interface Identification {
  /** True when the client is new, so that it follows no session yet. */
  readonly isFirst: boolean;
  /** The most recent session of a page bound to one sender. */
  readonly latestSessionId: string | undefined;
}

/** Time after which the page says more about a lost connection, in milliseconds. Most connections are back earlier. */
const TROUBLE_IS_LONG_MS = 3_000;

/** Used until the gateway has sent its limit. */
const DEFAULT_MAX_FRAME_BYTES = 262_144;

/** The page's connection: signing in, staying connected, and the reason for being disconnected. */
export class GatewayLink {
  readonly changed = new Signal();
  readonly identified = new Signal<Identification>();
  /** Every frame that the client emits; see `GatewayClientEvents`. */
  readonly frames = new Signal<{ readonly frame: OutboundFrame; readonly isLive: boolean }>();
  /** Emitted, with the reason, when the gateway refused something that belongs to no message and no request. */
  readonly refused = new Signal<string>();
  /** Emitted when the connection was lost. */
  readonly interrupted = new Signal();
  stage: Stage = { name: 'starting' };
  quality: LinkQuality = 'connecting';
  /** When the connection was lost or the device went offline, in Unix milliseconds; undefined while all is well. */
  troubleSince: number | undefined;
  /** True once the trouble has lasted so long that the page says more about it. */
  isTroubleLong = false;
  /** Why no connection opens; undefined while that is not known, and once there is one. */
  finding: LinkFinding | undefined;
  identity: WebchatIdentity | undefined;
  #client: GatewayClient | undefined;
  #isGoingAway = false;
  #wasConnected = false;
  #isOnline = navigator.onLine;
  #troubleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly storage: PageStorage,
    /** The address of the page's own gateway, to which alone the token is sent. */
    private readonly address: string,
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

  /** Returns true when the page is connected with the scope. */
  may(scope: string): boolean {
    const state = this.#client?.state;
    return state?.name === 'connected' && state.connected.scopes.includes(scope);
  }

  /** Connects with the tab's stored token. `problem` is shown if the gateway refuses it, `stage` until then. */
  start(problem?: string, stage: Stage = { name: 'starting' }): void {
    this.#client?.close();
    this.#wasConnected = false;
    this.#isGoingAway = false;
    this.finding = undefined;
    this.stage = stage;
    const { token } = this.storage;
    const client = new GatewayClient({
      url: this.address,
      clientId: this.storage.clientId,
      stream: 'delta',
      delivery: 'manual',
      ...(token === undefined ? {} : { token }),
    });
    this.#client = client;
    client.on('state', (state) => client === this.#client && this.#enter(client, state, problem));
    client.on('frame', (frame, isLive) => client === this.#client && this.#take(frame, isLive));
    client.on('error', ({ message }) => client === this.#client && this.refused.emit(message));
    // Its end is reported by the `state` event.
    void client.connect().catch(() => {});
    this.changed.emit();
  }

  signIn(token: string): void {
    this.storage.token = token;
    this.start(undefined, { name: 'signed-out', problem: undefined, isTrying: true, goBack: this.#goBack });
  }

  /** Asks for another token, with the reason. The person may go back and stay signed in as before. */
  askForToken(problem: string): void {
    const { token } = this.storage;
    this.signOut(problem, () => {
      this.storage.token = token;
      this.start();
    });
  }

  signOut(problem?: string, goBack?: () => void): void {
    this.storage.token = undefined;
    this.storage.isSignedOut = true;
    this.identity = undefined;
    this.stage = { name: 'signed-out', problem, goBack };
    this.#client?.close();
    this.changed.emit();
  }

  get #goBack(): (() => void) | undefined {
    return this.stage.name === 'signed-out' ? this.stage.goBack : undefined;
  }

  /** Reads again what the gateway says about itself and this page. Resolves with undefined if it cannot be read. */
  async readIdentity(): Promise<WebchatIdentity | undefined> {
    const client = this.#client;
    try {
      const identity = (await client?.ask('webchat.identify', {})) as WebchatIdentity | undefined;
      if (!identity || client !== this.#client) return undefined;
      this.identity = identity;
      this.changed.emit();
      return identity;
    } catch {
      // The connection reports its own state.
      return undefined;
    }
  }

  /** Continues in this tab, under another client id. */
  takeOver(): void {
    this.storage.renewClientId();
    this.start();
  }

  /** Makes the next connection attempt at once, or checks that the connection is alive. */
  reconnect(): void {
    if (this.stage.name === 'starting' || this.stage.name === 'chatting') void this.#client?.connect().catch(() => {});
  }

  /**
   * Handles the device going online or offline. Both are checked: a gateway on this machine can be reached without a
   * network.
   */
  networkChanged(): void {
    this.#isOnline = navigator.onLine;
    this.reconnect();
    this.#judge();
  }

  #enter(client: GatewayClient, state: ConnectionState, problem: string | undefined): void {
    if (state.name === 'connected') {
      this.#isOnline = true;
      this.#isGoingAway = false;
      this.finding = undefined;
      const { protocol, session_id } = state.connected;
      if (protocol === PROTOCOL_VERSION) void this.#identify(client, session_id);
      else this.#stopAtProtocol(protocol);
    } else if (state.name === 'waiting') {
      this.interrupted.emit();
      if (state.loss.reason === closeTable.providerDown.reason) this.finding = 'provider';
      // Most connections that are lost are back at once.
      else if (!this.#wasConnected || this.isTroubleLong) void this.#findReason(client);
    } else if (state.name === 'ended') {
      this.#end(state.error, problem);
    }
    this.#judge();
  }

  #take(frame: OutboundFrame, isLive: boolean): void {
    if (!this.#isOnline) {
      this.#isOnline = true;
      this.#judge();
    }
    if (frame.type !== 'going_away') return this.frames.emit({ frame, isLive });
    this.#isGoingAway = true;
    this.#judge();
  }

  async #identify(client: GatewayClient, latestSessionId: string | undefined): Promise<void> {
    try {
      this.identity = (await client.ask('webchat.identify', {})) as WebchatIdentity;
      if (client !== this.#client) return;
      this.storage.isSignedOut = false;
      const isFirst = !this.#wasConnected;
      this.#wasConnected = true;
      this.stage = { name: 'chatting' };
      this.identified.emit({ isFirst, latestSessionId });
    } catch (error) {
      // Any other error belongs to the connection, which reports its own state.
      if (error instanceof GatewayError && client === this.#client)
        this.signOut(texts.signIn.notForChat(error.message), this.#goBack);
    }
    this.#judge();
  }

  #end({ code, reason }: ConnectionEndedError, problem: string | undefined): void {
    if (this.stage.name === 'stopped' || (this.stage.name === 'signed-out' && !this.stage.isTrying)) return;
    // The rights of who is signed in by a cookie have changed: it may give others now.
    if (code === 4001 && this.#wasConnected && this.storage.token === undefined) return this.start(texts.signIn.ended);
    if (code === 4001) {
      const isWrong = this.storage.token !== undefined;
      this.signOut(this.#wasConnected ? texts.signIn.ended : isWrong ? texts.signIn.wrong : problem, this.#goBack);
    } else if (code === 4010) {
      this.stage = { name: 'stopped', ...texts.stopped.replaced, remedy: 'take-over' };
    } else {
      this.stage = { name: 'stopped', ...texts.stopped.unusable(code, reason), remedy: 'reload' };
    }
  }

  #stopAtProtocol(theirs: number): void {
    this.stage = { name: 'stopped', ...texts.stopped.protocol(PROTOCOL_VERSION, theirs), remedy: 'reload' };
    // Deferred: the client is still emitting `connected`.
    queueMicrotask(() => this.#client?.close());
  }

  async #findReason(client: GatewayClient): Promise<void> {
    const finding = await findReason(this.storage.token);
    if (client !== this.#client || client.state.name === 'connected') return;
    this.finding = finding;
    this.#judge();
  }

  #judge(): void {
    if (this.#client) {
      this.quality = describeLink(this.#client.state, {
        isGoingAway: this.#isGoingAway,
        isOnline: this.#isOnline,
        wasConnected: this.#wasConnected,
        finding: this.finding,
      });
    }
    this.#time();
    this.changed.emit();
  }

  /** Records when the trouble began. The first attempt to connect does not count as trouble. */
  #time(): void {
    if (this.quality === 'connected' || this.quality === 'connecting') {
      clearTimeout(this.#troubleTimer);
      this.troubleSince = undefined;
      this.isTroubleLong = false;
    } else if (this.troubleSince === undefined) {
      this.troubleSince = Date.now();
      this.#troubleTimer = setTimeout(() => {
        this.isTroubleLong = true;
        this.changed.emit();
      }, TROUBLE_IS_LONG_MS);
    }
  }
}
