/** The port of a channel's driver: what a class with `@ChannelDriver` implements, and what the gateway gives it. */
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
  /** The platform's stable ID of the author, never a display name. */
  readonly sender: string;
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
  /** JSON, with all that {@link Driver.read} needs: for example the object as the platform sent it. */
  readonly raw: unknown;
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

/** A chat with the newest message that was received in it. */
export interface RecentChat {
  readonly place: Place;
  /** The ID of the message, as in the update. */
  readonly messageId: string;
  /** By the platform's clock, in Unix milliseconds. */
  readonly sentAt: number;
  /** What was written before that is too old to be answered, in Unix milliseconds by the platform's clock. */
  readonly since: number;
}

/**
 * A piece of text of one kind. `code` may have a language; `status` is small print; `text` is shown as it is. `image` and
 * `audio` are files, each the only text of its part; their text stands for them where the platform takes no files.
 */
export interface PartText {
  readonly kind: 'markdown' | 'text' | 'code' | 'status' | 'image' | 'audio';
  readonly text: string;
  readonly language?: string | undefined;
  /** Files only: the argument of {@link ChannelLink.openFile}. */
  readonly source?: string | undefined;
  /** Files only: a text that describes the file. */
  readonly alt?: string | undefined;
}

/** The content of one call: at most one message of the platform. */
export interface Part {
  /** The same for every try, also after a restart: for a nonce, or a field of the message that can be searched for. */
  readonly id: string;
  readonly place: Place;
  readonly texts: readonly PartText[];
  /** Before its first try, in Unix milliseconds. */
  readonly createdAt: number;
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

  /**
   * @param message for the operator, without secrets
   * @param retryAfterMs the platform takes nothing for this chat before that
   */
  constructor(
    readonly outcome: FailedDelivery,
    message: string,
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
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

  /**
   * Lists the chats of the last seven days. After each start, and after each reconnect that
   * does not resume the stream, a driver whose platform keeps no queue reads the messages that followed and are not too old,
   * and passes them to {@link receive}.
   */
  listChats(): Promise<readonly RecentChat[]>;

  /**
   * Notes the time of the platform, in Unix milliseconds, for example from the `Date` header of a response. The ages of
   * messages count by it. A clock that is two minutes apart makes the account `degraded`.
   */
  noteTime(platformTime: number): void;

  /** Reports why the account works in part only, for example what could not be read; undefined when it works again. */
  degrade(reason: string | undefined): void;

  /**
   * Stores a file of a message. Its type and its size are those of its content.
   * @throws UploadRefusedError; GatewayError QUOTA_EXCEEDED, STORE_UNAVAILABLE; what `body` throws
   */
  keepFile(body: AsyncIterable<Uint8Array>): Promise<KeptFile>;

  /**
   * Opens a file of a reply, by the `source` of its text.
   * @throws GatewayError NOT_FOUND
   */
  openFile(source: string): Promise<OpenFile>;

  /** Reports that the connection to the platform is lost or useless. The run ends, and another one starts later. */
  fail(error: DriverError): void;
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
   * @throws DriverError
   */
  start(link: ChannelLink<P>, signal: AbortSignal): Promise<void>;

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

  /** Returns the length that the texts of one part have on the platform, with markup. By default that of the plain text. */
  measure?(texts: readonly PartText[]): number;

  /** Disconnects. Called once, also when {@link start} has rejected. */
  stop(): Promise<void>;
}
