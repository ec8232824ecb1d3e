/** The port of a channel's driver: what a class with `@ChannelDriver` implements, and what the gateway gives it. */
import { hash } from 'node:crypto';
import type { Static, TObject, TProperties } from 'typebox';
import type { MessageInPayload } from '../../protocol/domain.js';
import type { Log } from '../telemetry/logs.js';

/** Where a reply goes. It is stored with each message; a session has none of its own. */
export interface Place {
  /** The platform's ID of the chat. Calls of one chat are made one after the other. */
  readonly chat: string;
  /** The thread or topic. */
  readonly thread?: string | undefined;
  /** The message that the reply refers to, by the platform's ID. */
  readonly replyTo?: string | undefined;
  /** The person who is answered in a group, where the platform wants to know. */
  readonly person?: string | undefined;
  /** True for a chat of several people, in which edits are slower. */
  readonly isGroup?: boolean | undefined;
}

/** An update as a platform hands it over: its author, its place, and the object of the platform. */
export interface Update {
  /**
   * The ID of the message, as in `message_in`: unique for the account, and the same when the platform delivers it again.
   * `acme:CHAT:MESSAGE`. One of more than 128 characters is replaced by its hash.
   */
  readonly id: string;
  /** The platform's stable ID of the author, never a display name. Of a reaction or a press: of the person who made it. */
  readonly sender: string;
  /**
   * Other IDs of the same person, for example a phone number. Whichever of them comes first names the person in sessions,
   * codes and settings from then on. Given, if only empty, where the platform has several IDs for a person. An alias
   * of a person with further IDs is not joined: the number has a new owner.
   */
  readonly aliases?: readonly string[] | undefined;
  /** True for an author that is a program. It is ignored unless `allow_bots` is set. */
  readonly isBot?: boolean | undefined;
  /** The group chat; absent in a direct chat. */
  readonly groupId?: string | undefined;
  readonly place: Place;
  /** When it was written, by the platform's clock, in Unix milliseconds. */
  readonly sentAt: number;
  /**
   * Updates of a chat that follow each other with the same key are one message, for example an album. They are read together
   * when none has come for `waitMs`.
   */
  readonly join?: { readonly key: string; readonly waitMs: number } | undefined;
  /** The message that this update edits or deletes. Its own ID is made by {@link editIdOf}. */
  readonly change?: Change | undefined;
  /** Makes the update a reaction. Removed without an emoji: all reactions of the sender to the message. */
  readonly reaction?: ReactionChange | undefined;
  /**
   * What people see of the message: its text, the IDs of its files. An edit that changes nothing of it is left out; platforms
   * deliver one when the preview of a link is ready. It is not stored.
   */
  readonly visible?: readonly unknown[] | undefined;
  /** JSON, with all that {@link Driver.read} needs: for example the object as the platform sent it. */
  readonly raw: unknown;
}

/** An edit, or a deletion, which is not read by the driver. */
export interface Change {
  readonly kind: 'edit' | 'deletion';
  /** The ID of the message, as in its update. */
  readonly messageId: string;
}

/** A reaction that was added or removed. One update has one; a platform's list of changes becomes several updates. */
export interface ReactionChange {
  readonly action: 'added' | 'removed';
  /** The ID of the message, as in its update. */
  readonly messageId: string;
  /** The platform's ID of the message as {@link Driver.send} resolved with it: the message may be a part of a reply. */
  readonly ref: string;
  readonly emoji: string;
}

/** The updates that are one message, in their order. Its ID, place, sender and group are those of the first. */
export type Updates = readonly [Update, ...Update[]];

/** A message as a driver reads it. Channel, sender and group are those of the update. */
export type ReadMessage = Omit<MessageInPayload, 'channel' | 'sender' | 'group_id'>;

/**
 * The result of reading an update: a message of a person, or nothing for the agent. `reason` is logged; `note` is sent to
 * the chat, for example that a kind of message cannot be read.
 */
export type Reading =
  | { readonly kind: 'message'; readonly message: ReadMessage; readonly note?: string }
  | { readonly kind: 'ignored'; readonly reason: string; readonly note?: string };

/** The recipient of a reply without a message: a person, or a group. */
export type Target = { readonly sender: string } | { readonly groupId: string; readonly threadId?: string | undefined };

/** A chat, or a thread of it. Times are by the platform's clock, in Unix milliseconds. */
export interface RecentChat {
  readonly place: Place;
  /** When the newest message that was received there was written. */
  readonly sentAt: number;
  /** Messages of the chat from this time on may be missing. Those before it were received, or are too old to be answered. */
  readonly since: number;
}

/** Returns the ID of an edit of a message. @param mark when it was edited, else its text */
export function editIdOf(messageId: string, mark: number | string): string {
  return `${messageId}:edit:${typeof mark === 'number' ? mark : hash('sha256', mark, 'hex')}`;
}

/**
 * A piece of text of one kind. `code` may have a language; `status` is small print; `text` is shown as it is. `image`,
 * `audio` and `file` are files, each the only text of its part; their text stands for them where the platform takes none. A
 * `file` is a code block that is too long for a message; it is used where {@link Capabilities.media} has the kind.
 */
export interface PartText {
  readonly kind: 'markdown' | 'text' | 'code' | 'status' | 'image' | 'audio' | 'file';
  readonly text: string;
  readonly language?: string | undefined;
  /** Files only: the argument of {@link ChannelLink.openFile}. */
  readonly source?: string | undefined;
  /** Files only: a text that describes the file. */
  readonly alt?: string | undefined;
  /** Kind `file` only: its name. */
  readonly name?: string | undefined;
}

/** A button below a message. */
export interface Button {
  /** At most 20 characters. */
  readonly text: string;
  /** At most 64 ASCII characters. The platform returns it with a press, and {@link commandOf} reads it. */
  readonly data: string;
}

/**
 * Returns the content of the message that the press of a button is; undefined for data that is none of the gateway's. A press
 * is an update of the person who pressed, with an ID such as `acme:BOT:cb:PRESS`. The driver confirms the press to the platform first.
 */
export function commandOf(data: string): string | undefined {
  const [, letter, id] = /^([ad]):([A-Za-z0-9_-]+)$/.exec(data) ?? [];
  return id === undefined ? undefined : `/${letter === 'a' ? 'approve' : 'deny'} ${id}`;
}

/** The content of one call: at most one message of the platform. */
export interface Part {
  /** The same for every try, also after a restart: for a nonce, or a field of the message that can be searched for. */
  readonly id: string;
  readonly place: Place;
  readonly texts: readonly PartText[];
  /** Before its first try, in Unix milliseconds. */
  readonly createdAt: number;
  /** Where {@link Capabilities.buttons} is true. An edit without buttons takes them away. */
  readonly buttons?: readonly Button[] | undefined;
  /** True while an edit may add to it. */
  readonly isGrowing?: boolean | undefined;
}

/** The abilities and the limits of a platform. */
export interface Capabilities {
  /** Messages can be changed after they were sent. */
  readonly edits: boolean;
  /** The longest text of a message. */
  readonly maxLength: number;
  /** What {@link maxLength} counts. */
  readonly lengthUnit: 'code points' | 'UTF-16 units' | 'bytes';
  /** Shortest time between two edits in a direct chat and in a group, in milliseconds. */
  readonly minEditIntervalMs: { readonly direct: number; readonly group: number };
  /**
   * The platform recognises a part that is sent again within this time after its creation, by {@link Part.id}, and shows it
   * once: it is neither looked up nor counted. 0 by default, in milliseconds.
   */
  readonly repeatableMs?: number;
  /** Edits of the whole account within a minute. Those of growing replies leave a fifth of it for others. */
  readonly editsPerMinute?: number | undefined;
  /** Messages can have buttons. */
  readonly buttons?: boolean | undefined;
  /** The kinds of files that can be sent, each with its largest size in bytes. */
  readonly media?: Readonly<Partial<Record<'image' | 'audio' | 'file', number>>> | undefined;
  /** The platform may report a message as failed after it has confirmed it; see {@link ChannelLink.reportFailed}. */
  readonly failsLater?: boolean | undefined;
}

/**
 * The reason why a driver does not run. `bad_credential`: the platform refuses the credential. `unreachable`: the platform cannot be
 * reached. `misconfigured`: a setting here or on the platform's side is wrong. `conflict`: another program reads the same
 * account.
 */
export type DriverFault = 'bad_credential' | 'unreachable' | 'misconfigured' | 'conflict';

/** Ends the run of a driver. It is tried again later. */
export class DriverError extends Error {
  override readonly name = 'DriverError';

  /** @param message for the operator, without secrets */
  constructor(
    readonly fault: DriverFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The outcome of a call that has failed. `not_sent`: the platform has not carried it out and may later, as after a refused
 * connection or a 429. `refused`: it never will. `unknown`: the response was lost.
 */
export type FailedDelivery = 'not_sent' | 'refused' | 'unknown';

/**
 * Thrown by the calls of a driver. Errors are classed by code, never by their text. Any other error counts as `unknown`,
 * except that a {@link DriverError} ends the run and leaves the part as it is.
 */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';

  /** The time counts for all chats of the account. */
  readonly isAccountWide: boolean;

  /**
   * @param message for the operator, without secrets
   * @param retryAfterMs the platform takes nothing for this chat before that
   */
  constructor(
    readonly outcome: FailedDelivery,
    message: string,
    readonly retryAfterMs?: number,
    options?: ErrorOptions & { readonly isAccountWide?: boolean },
  ) {
    super(message, options);
    this.isAccountWide = options?.isAccountWide ?? false;
  }
}

/** An account as its platform knows it. */
export interface CheckedAccount {
  /** Whom the gateway speaks as: the name of the bot, the workspace, the number. */
  readonly name: string;
  /** What the operator should know, for example a right that is missing. */
  readonly remarks?: readonly string[];
}

/** A file of a message that is stored. */
export interface KeptFile {
  /** For an attachment of the message. */
  readonly mediaId: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
}

/** A file of a reply. */
export interface OpenFile {
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The gateway as a driver sees it: the account, and the methods that take updates and reports. */
export interface ChannelLink<P extends TProperties = TProperties> {
  /** The account by its name in messages: `acme`, or `acme.support`. */
  readonly channel: string;
  /** The name of the account in the settings; `default` for the settings directly below `channels.NAME`. */
  readonly account: string;
  /** The driver's own settings of this account. */
  readonly settings: Static<TObject<P>>;
  /** The current setting `require_mention`: false where every message of a group is for the agent. */
  readonly requiresMention: boolean;
  readonly log: Log;

  /**
   * Takes updates in the order of the platform. Resolves when each is stored, or refused by the settings; the driver may
   * confirm them to the platform then, and not before. When it rejects, the platform must deliver them again.
   */
  receive(updates: readonly Update[]): Promise<void>;

  /**
   * Notes that the platform has given a chat a new ID, before anything that comes from there. Its session, and what the
   * settings say of it, stay; replies go to the new ID.
   */
  moveChat(from: string, to: string): Promise<void>;

  /** Notes that these IDs are one person, as {@link Update.aliases} does: for a platform that changes the ID of a person. */
  joinSenders(ids: readonly [string, ...string[]]): Promise<void>;

  /** Notes that a person who may write is typing. */
  noteTyping(sender: string): void;

  /**
   * Reports that the platform has not delivered a message that it had confirmed. It becomes a dead letter.
   * @param ref as {@link Driver.send} resolved; it may come before that
   */
  reportFailed(ref: string, reason: string): void;

  /**
   * Lists the 500 chats that were used last, each with its 20 newest threads. A driver whose platform keeps no queue calls it after each start, and after each
   * reconnect that does not resume the stream, before it receives anything. It reads what is missing, passes it to
   * {@link receive}, and calls {@link closeGap}. Until then, also in later runs, `since` stays where it is.
   */
  listChats(): Promise<readonly RecentChat[]>;

  /** Notes that nothing of a chat and its threads is missing any more. */
  closeGap(chat: string): Promise<void>;

  /** Messages before this time are too old to be answered, in Unix milliseconds by the platform's clock. */
  readonly answersSince: number;

  /** Returns whether messages of a person, or of a group, reach the agent, as far as this run knows. */
  admits(who: Target): boolean;

  /** Lists people who may write in direct chats: those whom the settings name, and those who were let in last. */
  listPeople(): Promise<readonly string[]>;

  /**
   * Returns whether the agent takes part in a thread: it was addressed there, so that what follows may be meant for it too.
   * False for a place without a thread.
   */
  takesPart(place: Place): Promise<boolean>;

  /**
   * Notes the time of the platform, in Unix milliseconds, for example from the `Date` header of a response. The ages of
   * messages count by it. A clock that is two minutes apart makes the account `degraded`.
   */
  noteTime(platformTime: number): void;

  /** Reports why the account works in part only, for example what could not be read; undefined when it works again. */
  degrade(reason: string | undefined): void;

  /**
   * Stores a file of a message. Its type and its size are those of its content. The chunks of `body` belong to the call,
   * which may free their memory.
   * @throws UploadRefusedError; GatewayError QUOTA_EXCEEDED, STORE_UNAVAILABLE; what `body` throws
   */
  keepFile(body: AsyncIterable<Uint8Array>): Promise<KeptFile>;

  /**
   * Opens a file of a reply, by the `source` of its text.
   * @throws GatewayError NOT_FOUND
   */
  openFile(source: string): Promise<OpenFile>;

  /**
   * Reports that the connection to the platform is lost or useless. The run ends, and another one starts later. A
   * {@link DeliveryError} `refused` counts as `misconfigured`, any other error as `unreachable`.
   */
  fail(error: unknown): void;
}

/**
 * A driver: the code that speaks to one platform. For each run of each account the gateway creates an instance, with its
 * dependencies injected, and discards it afterwards. Retries and reconnections of a vendor's SDK must be off: the gateway
 * repeats, waits and counts.
 */
export interface Driver<P extends TProperties = TProperties> {
  /**
   * Connects. Resolves when messages are received.
   * @param signal aborts when nothing new should be taken; what was handed over is finished
   * @throws DriverError; other errors count as with {@link ChannelLink.fail}
   */
  start(link: ChannelLink<P>, signal: AbortSignal): Promise<void>;

  /**
   * Asks the platform whether it takes the settings of an account, before they are stored. It is called on an instance of its
   * own, which is not started. Without it, the settings are stored unchecked.
   * @throws DriverError when it does not, DeliveryError when that cannot be said
   */
  check?(settings: Static<TObject<P>>): Promise<CheckedAccount>;

  /**
   * Reads the updates of one message: one, unless they were joined. A reading that is returned directly must depend on them
   * alone: it is made again after a crash. One that needs look-ups is returned as a promise; it is stored before it is used.
   * @throws DeliveryError `not_sent` or `unknown` when a look-up can be tried again; DriverError, after which the next run
   *   reads the update; any other error ends the update
   */
  read(updates: Updates): Reading | Promise<Reading>;

  /**
   * Sends a part by one call. Resolves with the platform's ID of the message when the platform has confirmed it.
   * @throws DeliveryError, DriverError
   */
  send(part: Part): Promise<string>;

  /**
   * Changes a message that was sent. That nothing changes is a success. Needed where {@link Capabilities.edits} is true.
   * @param ref as {@link send} resolved
   * @throws DeliveryError, DriverError
   */
  edit?(ref: string, part: Part): Promise<void>;

  /**
   * Returns whether the platform shows a message as one that grows, so that its last edit is needed even if it changes
   * nothing.
   */
  isOpen?(ref: string): boolean;

  /**
   * Deletes a message that was sent. Without it, a superfluous message becomes a dash.
   * @throws DeliveryError, DriverError
   */
  remove?(ref: string, place: Place): Promise<void>;

  /**
   * Finds a part whose outcome is unknown. Resolves with the platform's ID of the message, with `absent` if the platform
   * certainly does not have it, and with undefined if the platform cannot say. Without it, the part is sent again.
   * @throws DeliveryError, DriverError
   */
  lookUp?(part: Part): Promise<{ readonly ref: string } | 'absent' | undefined>;

  /**
   * Shows in a chat that a reply is being written, for some seconds. Called again while it is, and never after a failure.
   * @throws DeliveryError `refused` when the chat does not allow it; DriverError
   */
  showTyping?(place: Place): Promise<void>;

  /**
   * Finds the place of a chat without messages, for a reply that something else has caused, for example a schedule.
   * Resolves with undefined if there is none. Without it, such replies reach only chats with messages.
   * @throws DeliveryError, DriverError
   */
  findPlace?(target: Target): Promise<Place | undefined>;

  /**
   * Takes back what {@link showTyping} shows, where that lasts longer than some seconds. Called once when the reply is
   * delivered.
   * @throws DeliveryError, DriverError
   */
  hideTyping?(place: Place): Promise<void>;

  /** Returns the length that the texts of one part have on the platform, with markup. By default that of the plain text. */
  measure?(texts: readonly PartText[]): number;

  /** Disconnects. Called once, also when {@link start} has rejected. */
  stop(): Promise<void>;
}
