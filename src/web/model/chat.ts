import {
  ConnectionEndedError,
  WithdrawnError,
  type Attachment,
  type CanvasAction,
  type GatewayClient,
  type OutboundFrame,
  type PresenceStatus,
  type Reply,
  type StreamBlock,
  type ToolStatusPayload,
  type TranscriptMessage,
  type WebchatIdentity,
} from '../../client/index.js';
import type { Conversation } from './conversation.js';
import { ConversationReader } from './conversation-reader.js';
import { Conversations } from './conversations.js';
import { Drafts } from './drafts.js';
import { EnteredValues } from './entered-values.js';
import { gatewayClock } from './gateway-clock.js';
import { GatewayLink, type Identification } from './gateway-link.js';
import { Leaving } from './leaving.js';
import { MediaFiles } from './media-files.js';
import { cleanText } from './message-limits.js';
import { OtherConversations } from './other-conversations.js';
import { asSent, CHANNEL, Outbox, payloadOf } from './outbox.js';
import { makeName, type PageStorage } from './page-storage.js';
import type { UnsentMessage } from './stored-values.js';
import { Preferences } from './preferences.js';
import { Presence } from './presence.js';
import { Signal } from './signal.js';
import { Visitor } from './visitor.js';

/** Interval at which a page without a session asks for it, in milliseconds. */
const SESSION_POLL_INTERVAL_MS = 5_000;

/** The page without its user interface: its connection, its conversations and the user's commands. */
export class Chat {
  readonly link: GatewayLink;
  readonly conversations: Conversations;
  readonly media: MediaFiles;
  readonly outbox: Outbox;
  readonly preferences: Preferences;
  readonly visitor: Visitor;
  readonly reader: ConversationReader;
  readonly leaving: Leaving;
  readonly drafts: Drafts;
  readonly entered: EnteredValues;
  readonly presence = new Presence((status) => this.#sendPresence(status));
  /** Emitted when something shown has changed. */
  readonly changed = new Signal();
  /** Emitted when a block of the shown conversation was completed while the page followed it. */
  readonly blockCompleted = new Signal<StreamBlock>();
  /** Emitted when a message was cancelled before it was sent. */
  readonly withdrawn = new Signal<TranscriptMessage>();
  /** Emitted, with the reason, when the gateway refused something that belongs to no message. */
  readonly refused = new Signal<string>();
  /** Emitted when another person has signed in: the page has to start again, with nothing of the first one in memory. */
  readonly personChanged = new Signal();
  readonly #others = new OtherConversations();
  readonly #replies = new Map<string, Reply>();
  #sessionTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `address`: that of the page's own gateway. `readWanted` returns the name of the conversation that the address of the
   * page names; undefined for the one that was shown last.
   */
  constructor(
    private readonly storage: PageStorage,
    address: string,
    private readonly readWanted: () => string | undefined,
  ) {
    this.conversations = new Conversations(storage);
    this.entered = new EnteredValues(storage);
    this.drafts = new Drafts(storage, this.conversations);
    this.outbox = new Outbox(storage, () => this.changed.emit());
    this.preferences = new Preferences(storage, () => this.changed.emit());
    this.media = new MediaFiles(() => storage.token);
    this.link = new GatewayLink(storage, address);
    this.reader = new ConversationReader(
      this.conversations,
      this.link,
      () => this.changed.emit(),
      (reason) => this.refused.emit(reason),
    );
    this.visitor = new Visitor(
      this.conversations,
      this.link,
      (conversation) => this.open(conversation),
      () => this.changed.emit(),
    );
    this.leaving = new Leaving(storage, this.outbox, this.conversations, this.link, () => this.changed.emit());
    this.link.changed.subscribe(() => this.changed.emit());
    this.link.refused.subscribe((reason) => this.refused.emit(reason));
    this.link.identified.subscribe((identification) => this.#identified(identification));
    this.link.frames.subscribe(({ frame, isLive }) => this.#take(frame, isLive));
    this.link.interrupted.subscribe(() => this.conversations.all.forEach((conversation) => conversation.interrupt()));
  }

  get active(): Conversation | undefined {
    return this.conversations.active;
  }

  /** The token of this tab; undefined in open mode. */
  get token(): string | undefined {
    return this.storage.token;
  }

  get isConnected(): boolean {
    return this.link.quality === 'connected';
  }

  /** True while there is a connection, or nothing speaks against one. */
  get isReaching(): boolean {
    return this.isConnected || this.link.quality === 'connecting';
  }

  /** True unless the gateway has said that this page may only read. */
  get mayWrite(): boolean {
    return !this.isConnected || this.link.may('messages:write');
  }

  /** False for a page without the local token of a gateway in open mode. */
  get decidesApprovals(): boolean {
    return this.link.identity?.decides_approvals !== false;
  }

  /**
   * Sends a checked text and uploaded files, in place of the message with the ref `supersedes` if that is given. Returns
   * false while the sender is not known yet. `canvas` is what the person did on a surface; the text says it in words.
   */
  send(written: string, attachments: readonly Attachment[] = [], supersedes?: string, canvas?: CanvasAction): boolean {
    const { active: conversation } = this;
    const { client } = this.link;
    if (!conversation || !client) return false;
    const content = cleanText(written);
    const { sender, transcript } = conversation;
    const unsent = { id: makeName(), sender, content, attachments, supersedes, canvas };
    this.outbox.add(unsent, !this.isConnected);
    const message = transcript.add(asSent(unsent));
    // Before the gateway has said who is signed in, it stays here.
    if (this.link.identity) this.#follow(conversation, message, client.send(payloadOf(unsent), { id: unsent.id }));
    conversation.lastAt = gatewayClock.now();
    conversation.entitle(content);
    this.conversations.save(conversation);
    this.presence.sent();
    this.changed.emit();
    return true;
  }

  /** Cancels a message: withdraws it while it is unsent, otherwise asks the gateway. */
  cancel(message: TranscriptMessage): void {
    const reply = this.#replies.get(message.id);
    this.active?.cancelling(message);
    if (reply) reply.cancel();
    else if (message.phase === 'unsent' && this.active) this.#withdraw(this.active, message);
    else if (message.ref !== undefined) this.link.client?.cancelMessage(message.ref);
    this.changed.emit();
  }

  /** Decides on a tool call that waits for approval, for exactly the arguments that were shown. */
  decide(message: TranscriptMessage, { approval, call_id }: ToolStatusPayload, decision: 'allow' | 'deny'): void {
    if (!approval) return;
    const { approval_id, arguments_sha256 } = approval;
    if (decision === 'deny') this.storage.addDenied(nameCall(message, call_id));
    this.link.client?.decide({ approval_id, decision, arguments_sha256 });
  }

  /** Returns true for a call that this tab has denied, unless the gateway names another person as the first to decide. */
  hasDenied(message: TranscriptMessage, callId: string, decidedBy: string): boolean {
    return decidedBy === this.link.identity?.principal && this.storage.denied.includes(nameCall(message, callId));
  }

  /** Removes a refused message from the page. */
  dismiss(message: TranscriptMessage): void {
    this.active?.transcript.remove(message);
    this.changed.emit();
  }

  /**
   * Shows what the browser has stored for the person of this tab, until the gateway has said who is signed in. It sends
   * and reads nothing before.
   */
  recall(): void {
    if (this.storage.person === undefined || this.storage.isSignedOut) return;
    this.conversations.recallStored();
    for (const unsent of this.outbox.messages) this.#hold(unsent);
    void this.visit();
  }

  /** Shows the conversation that the address of the page names. Without anything to show, it waits for the gateway. */
  async visit(): Promise<void> {
    const wanted = this.readWanted();
    if (this.link.identity === undefined && this.conversations.all.length === 0) return;
    if (wanted !== undefined) return this.visitor.visit(wanted);
    const [newest] = this.conversations.isBound ? this.conversations.all : this.conversations.listed;
    if (!this.active) this.open(newest ?? this.conversations.openNew());
  }

  open(conversation: Conversation): void {
    this.conversations.open(conversation);
    this.seen();
    void this.reader.load(conversation);
  }

  /** Handles that the shown conversation is visible: it counts as read. */
  seen(): void {
    if (this.active?.see()) this.conversations.save(this.active);
    this.changed.emit();
  }

  /** Changes the title or a mark of a conversation, which this browser keeps. */
  change(conversation: Conversation, change: () => void): void {
    change();
    this.conversations.save(conversation);
    this.changed.emit();
  }

  /** Stops the running reply and cancels all that wait in the shown conversation. */
  stopAll(): void {
    for (const message of [...(this.active?.transcript.messages ?? [])].reverse())
      if (message.phase === 'open' || message.phase === 'unsent') this.cancel(message);
  }

  /** Removes a conversation from the list. Returns a function that restores it. */
  remove(conversation: Conversation): () => void {
    const putBack = this.conversations.remove(conversation);
    if (this.active) this.open(this.active);
    return () => {
      putBack();
      this.open(conversation);
    };
  }

  /** Reads the page of messages before the first one that is shown. */
  async loadOlder(): Promise<void> {
    if (this.active) await this.reader.loadOlder(this.active);
  }

  /** Handles a change that another tab made to this browser's storage under `key`. */
  storageChanged(key: string | null): void {
    if (!this.storage.isAboutConversations(key)) return;
    this.conversations.merge();
    if (this.active) void this.reader.load(this.active);
    this.#followOthers();
    this.changed.emit();
  }

  #identified({ isFirst, latestSessionId }: Identification): void {
    const { client, identity } = this.link;
    if (!client) return;
    if (identity && !this.#meet(identity)) return;
    this.outbox.connected();
    const isNowhere = this.active === undefined;
    if (identity?.sender === undefined) this.conversations.recall();
    else this.conversations.bind(identity.sender, latestSessionId);
    if (isNowhere && this.readWanted() !== undefined) void this.visit();
    if (isFirst) this.#startWith(client);
    this.presence.connected();
    if (this.active) void this.reader.load(this.active);
    this.#followOthers();
    this.#awaitSession();
    this.leaving.check();
  }

  /** Handles who is signed in. Returns false when the page has shown another person before. */
  #meet({ tenant, principal }: WebchatIdentity): boolean {
    const person = [tenant, principal].map(encodeURIComponent).join('/');
    const { person: before } = this.storage;
    if (person === before) return true;
    this.storage.person = person;
    if (before === undefined) return true;
    this.conversations.clear();
    this.link.client?.close();
    this.personChanged.emit();
    return false;
  }

  #followOthers(): void {
    const { client } = this.link;
    const others = this.conversations.listed.filter((conversation) => conversation !== this.active);
    if (client && this.link.may('sessions:read')) this.#others.follow(client, others);
  }

  /** Finds the session that another device starts for the sender of this page: only the gateway knows it. */
  #awaitSession(): void {
    clearTimeout(this.#sessionTimer);
    const { active } = this;
    if (!active || !this.conversations.isBound || active.transcript.sessionId !== undefined) return;
    this.#sessionTimer = setTimeout(async () => {
      const isAsked = this.isConnected && document.visibilityState === 'visible';
      const sessionId = isAsked ? (await this.link.readIdentity())?.session_id : undefined;
      if (sessionId === undefined || active !== this.active) return this.#awaitSession();
      active.transcript.sessionId ??= sessionId;
      await this.reader.load(active);
    }, SESSION_POLL_INTERVAL_MS);
  }

  /**
   * A new client follows no session. Messages that this tab has not got acknowledged are sent again under the same ids,
   * so none is stored twice.
   */
  #startWith(client: GatewayClient): void {
    for (const { transcript } of this.conversations.all) transcript.unload();
    for (const unsent of this.outbox.messages) {
      const { id } = unsent;
      const held = this.#hold(unsent);
      if (held) this.#follow(held.conversation, held.message, client.send(payloadOf(unsent), { id }));
      else this.outbox.remove(id, false);
    }
  }

  /** Shows a message that waits to be sent. Returns undefined when it belongs to none of the conversations. */
  #hold(unsent: UnsentMessage): { conversation: Conversation; message: TranscriptMessage } | undefined {
    const conversation = this.conversations.hold(unsent);
    if (!conversation) return undefined;
    const { transcript } = conversation;
    this.outbox.watch(unsent.id);
    return { conversation, message: transcript.findUnsent(unsent.id) ?? transcript.add(asSent(unsent)) };
  }

  #withdraw(conversation: Conversation, message: TranscriptMessage): void {
    this.outbox.remove(message.id, false);
    conversation.transcript.remove(message);
    this.withdrawn.emit(message);
    this.changed.emit();
  }

  #follow(conversation: Conversation, message: TranscriptMessage, reply: Reply): void {
    this.#replies.set(message.id, reply);
    reply.acknowledged.then(
      () => this.#acknowledged(message.id),
      (error: unknown) => {
        // The next client sends it again.
        if (error instanceof ConnectionEndedError) return;
        // Refused and withdrawn messages stay for the person to look at.
        this.leaving.stay();
        if (error instanceof WithdrawnError) this.#withdraw(conversation, message);
        else this.outbox.remove(message.id, false);
      },
    );
    const forget = () => {
      if (this.#replies.get(message.id) === reply) this.#replies.delete(message.id);
    };
    reply.ended.then(forget, forget);
  }

  #acknowledged(id: string): void {
    this.outbox.remove(id, true);
    this.leaving.check();
  }

  #take(frame: OutboundFrame, isLive: boolean): void {
    if (isLive) gatewayClock.note(frame.timestamp);
    const conversation = this.conversations.find(frame.session_id, frame.correlation_id);
    if (!conversation) return;
    const { transcript } = conversation;
    conversation.take(frame, isLive);
    const isNews = conversation === this.active && document.visibilityState === 'visible' && conversation.see();
    const isNewer = frame.type === 'message_ack' || frame.type === 'stream_end';
    if (isNewer)
      conversation.lastAt = Math.max(frame.timestamp, frame.type === 'message_ack' ? 0 : conversation.lastAt);
    if (isNewer || (isNews && frame.type === 'history')) this.conversations.save(conversation);
    if (frame.type === 'stream_block' && isLive && conversation === this.active)
      this.blockCompleted.emit(frame.payload);
    if (transcript.hasGaps) this.reader.fillGaps(conversation);
    this.changed.emit();
  }

  #sendPresence(status: PresenceStatus): void {
    if (!this.active || !this.link.may('presence:write')) return;
    this.link.client?.presence({ channel: CHANNEL, user_id: this.active.sender, status });
  }
}

/** Names a tool call of a message's reply: its id is unique there only. */
function nameCall({ ref = '' }: TranscriptMessage, callId: string): string {
  return `${ref} ${callId}`;
}
