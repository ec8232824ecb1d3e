import {
  ConnectionEndedError,
  GatewayError,
  WithdrawnError,
  type Attachment,
  type DurableFrame,
  type GatewayClient,
  type MessageInPayload,
  type OutboundFrame,
  type Reply,
  type StreamBlock,
} from '../client/index.js';
import { ConversationList } from './conversation-list.js';
import type { Conversation, Message } from './conversation.js';
import { GatewayLink } from './gateway-link.js';
import { MediaFiles } from './media-files.js';
import type { Memory } from './memory.js';
import { cleanText } from './message-limits.js';
import { Presence, type PresenceStatus } from './presence.js';
import type { ToolStatus } from './reply-state.js';

const CHANNEL = 'webchat';

/** How far back is looked for what running tools have told. */
const FRAMES_OF_TOOLS = 200;

/** Messages read at once, and how many of the newest are looked through for what one says that was sent elsewhere. */
const PAGE_SIZE = 30;
const NEWEST = 20;

/**
 * All that the page does, without its looks: it sends, cancels and reads in its conversations, and calls `onChange`
 * whenever there is something else to see.
 */
export class Chat {
  readonly link: GatewayLink;
  readonly list: ConversationList;
  readonly media: MediaFiles;
  readonly presence = new Presence((status) => this.#tellPresence(status));
  /** Blocks that were finished before somebody's eyes, for whoever reads them out and takes them off. */
  finished: StreamBlock[] = [];
  /** The gateway knew nothing of this conversation, which was begun anew. */
  forgotten: Conversation | undefined;
  isLoadingOlder = false;
  onChange: () => void = () => {};
  /** A message was taken back before it left. */
  onWithdrawn: (message: Message) => void = () => {};
  /** The gateway refused something that belongs to no message. */
  onRefused: (reason: string) => void = () => {};
  readonly #replies = new Map<string, Reply>();
  readonly #reading = new Set<Conversation>();

  /** `origin`: of the page. */
  constructor(
    private readonly memory: Memory,
    origin: string,
  ) {
    this.list = new ConversationList(memory);
    this.media = new MediaFiles(() => memory.token);
    this.link = new GatewayLink(memory, origin, {
      identified: (facts) => this.#identified(facts),
      frame: (frame) => this.#take(frame),
      refused: (reason) => this.onRefused(reason),
      interrupted: () => this.list.all.forEach((conversation) => conversation.interrupt()),
      changed: () => this.onChange(),
    });
  }

  get active(): Conversation | undefined {
    return this.list.active;
  }

  get isSignedIn(): boolean {
    return this.memory.token !== undefined;
  }

  signOut(): void {
    this.list.clear();
    this.link.signOut();
  }

  /** Sends a text that was found in order, and pictures that the gateway has. False while nobody knows as whom. */
  send(written: string, attachments: readonly Attachment[] = []): boolean {
    const { active: conversation } = this;
    const { client } = this.link;
    if (!conversation || !client) return false;
    const content = cleanText(written);
    const reply = client.send(payloadOf(conversation, content, attachments));
    this.memory.keepUnsent({
      id: reply.id,
      sender: conversation.sender,
      content,
      ...(attachments.length > 0 && { attachments }),
    });
    this.#follow(conversation, conversation.addUnsent(reply.id, content, Date.now(), [...attachments]), reply);
    this.list.entitle(conversation, content);
    this.presence.sent();
    this.onChange();
    return true;
  }

  /** Ends a message: takes it back while it is unsent, else asks the gateway. */
  cancel(message: Message): void {
    const reply = this.#replies.get(message.id);
    message.isCancelling = message.phase === 'open';
    message.version++;
    if (reply) reply.cancel();
    else if (message.ref !== undefined) this.link.client?.cancelMessage(message.ref);
    this.onChange();
  }

  /** Decides on a tool call that waits for a person, with exactly the arguments that were shown. */
  decide({ approval }: ToolStatus, decision: 'allow' | 'deny'): void {
    if (!approval) return;
    const { approval_id, arguments_sha256 } = approval;
    this.link.client?.decide({ approval_id, decision, arguments_sha256 });
  }

  /** Takes a refused message off the page. */
  dismiss(message: Message): void {
    this.active?.remove(message);
    this.onChange();
  }

  open(conversation: Conversation): void {
    this.list.open(conversation);
    void this.#load(conversation);
    this.onChange();
  }

  openNew(): void {
    this.list.openNew();
    this.onChange();
  }

  /** Takes a conversation off the list. Answers how to put it back. */
  remove(conversation: Conversation): () => void {
    const putBack = this.list.remove(conversation);
    if (this.active) this.open(this.active);
    return () => {
      putBack();
      this.open(conversation);
    };
  }

  /** Reads the page of messages before the first of the shown conversation. */
  async loadOlder(): Promise<void> {
    const { active: conversation } = this;
    const before = conversation?.olderCursor;
    if (!conversation?.sessionId || before === undefined || this.isLoadingOlder) return;
    this.isLoadingOlder = true;
    this.onChange();
    try {
      const page = await this.link.client?.history(conversation.sessionId, { limit: PAGE_SIZE, before });
      conversation.olderCursor = page?.next_before;
    } catch {
      conversation.olderCursor = undefined;
    }
    this.isLoadingOlder = false;
    this.onChange();
  }

  readDraft(): string {
    return this.active ? this.memory.readDraft(this.active.sender) : '';
  }

  keepDraft(draft: string): void {
    if (this.active) this.memory.keepDraft(this.active.sender, draft);
  }

  /** Something that this browser remembers was changed by another tab. */
  memoryChanged(key: string | null): void {
    if (!this.memory.isAboutConversations(key)) return;
    this.list.merge();
    if (this.active) void this.#load(this.active);
    this.onChange();
  }

  #identified({
    isFirst,
    latestSessionId,
  }: {
    readonly isFirst: boolean;
    readonly latestSessionId: string | undefined;
  }): void {
    const { client, identity } = this.link;
    if (!client) return;
    if (identity?.sender === undefined) this.list.recall();
    else this.list.bind(identity.sender, latestSessionId);
    if (isFirst) this.#startWith(client);
    this.presence.connected();
    if (this.active) void this.#load(this.active);
  }

  /** A new client follows nothing, and has what this tab had written before to send again: under the same ids, so that nothing is said twice. */
  #startWith(client: GatewayClient): void {
    for (const conversation of this.list.all) conversation.isLoaded = false;
    for (const { id, sender, content, attachments = [] } of this.memory.unsent) {
      const conversation = this.list.findBySender(sender);
      if (!conversation) {
        this.memory.forgetUnsent(id);
        continue;
      }
      const message = conversation.findUnsent(id) ?? conversation.addUnsent(id, content, Date.now(), [...attachments]);
      this.#follow(conversation, message, client.send(payloadOf(conversation, content, attachments), { id }));
    }
  }

  #follow(conversation: Conversation, message: Message, reply: Reply): void {
    this.#replies.set(message.id, reply);
    reply.acknowledged.then(
      () => this.memory.forgetUnsent(message.id),
      (error: unknown) => {
        // The next client sends it again.
        if (error instanceof ConnectionEndedError) return;
        this.memory.forgetUnsent(message.id);
        if (!(error instanceof WithdrawnError)) return;
        conversation.remove(message);
        this.onWithdrawn(message);
        this.onChange();
      },
    );
    const forget = () => {
      if (this.#replies.get(message.id) === reply) this.#replies.delete(message.id);
    };
    reply.ended.then(forget, forget);
  }

  #take(frame: OutboundFrame): void {
    const conversation = this.list.find(frame.session_id, frame.correlation_id);
    if (!conversation) return;
    conversation.take(frame);
    if (frame.type === 'message_ack') this.#noteSession(conversation, frame.session_id);
    if (frame.type === 'stream_block' && conversation.isLive(frame as DurableFrame)) {
      if (conversation === this.active) this.finished.push(frame.payload);
      else this.list.unread.add(conversation);
    }
    if (conversation.hasGaps) void this.#fillGaps(conversation);
    this.onChange();
  }

  #noteSession(conversation: Conversation, sessionId: string | undefined): void {
    if (sessionId === undefined || conversation.sessionId !== undefined) return;
    conversation.sessionId = sessionId;
    // It has just begun: there is nothing to read.
    conversation.isLoaded = true;
    this.list.keep();
  }

  /** Reads the newest messages, then follows the session from there. */
  async #load(conversation: Conversation): Promise<void> {
    const { sessionId, isLoaded } = conversation;
    if (sessionId === undefined || isLoaded || this.#reading.has(conversation)) return;
    await this.#read(conversation, async (client) => {
      const page = await client.history(sessionId, { limit: PAGE_SIZE });
      conversation.olderCursor = page.next_before;
      const [oldest] = page.messages;
      if (oldest) this.list.entitle(conversation, oldest.content);
      const replayed = conversation.hasRunningTools ? FRAMES_OF_TOOLS : 0;
      await client.resume([{ session_id: sessionId, after_seq: Math.max(0, page.head_seq - replayed) }]);
    });
    if (conversation.hasGaps) await this.#fillGaps(conversation);
  }

  async #fillGaps(conversation: Conversation): Promise<void> {
    const { sessionId } = conversation;
    if (sessionId === undefined || this.#reading.has(conversation)) return;
    await this.#read(conversation, async (client) => void (await client.history(sessionId, { limit: NEWEST })));
    // Of what was not among the newest only the replies are shown.
    conversation.closeGaps();
  }

  /** Lets one reading of a conversation go on at a time. What is read comes as frames, like everything else. */
  async #read(conversation: Conversation, read: (client: GatewayClient) => Promise<void>): Promise<void> {
    const { client } = this.link;
    if (!client) return;
    this.#reading.add(conversation);
    try {
      await read(client);
    } catch (error) {
      if (error instanceof GatewayError) this.#cannotRead(conversation, error as GatewayError);
    }
    this.#reading.delete(conversation);
    this.onChange();
  }

  #cannotRead(conversation: Conversation, error: GatewayError): void {
    if (error.code !== 'NOT_FOUND') {
      conversation.isLoaded = true;
      return this.onRefused(error.message);
    }
    // The gateway knows nothing of a session that this browser remembers: its store was exchanged, or it is another tenant's.
    conversation.beginAnew();
    this.forgotten = conversation;
    this.list.keep();
  }

  #tellPresence(status: PresenceStatus): void {
    if (!this.active || !this.link.may('presence:write')) return;
    this.link.client?.presence({ channel: CHANNEL, user_id: this.active.sender, status });
  }
}

function payloadOf({ sender }: Conversation, content: string, attachments: readonly Attachment[]): MessageInPayload {
  return { channel: CHANNEL, sender, content, ...(attachments.length > 0 && { attachments: [...attachments] }) };
}
