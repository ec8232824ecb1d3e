/** The port of a channel's driver: what a class with `@ChannelDriver` implements, and what the gateway gives it. */
import type { Static, TObject, TProperties } from 'typebox';
import type { Log } from '../telemetry/logs.js';
import type { Part, PartText } from './part.js';
import type { Place, RecentChat, Target } from './place.js';
import type { Reading, Update, Updates } from './update.js';

export * from './delivery-errors.js';
export * from './part.js';
export * from './place.js';
export * from './update.js';

/** The abilities and the limits of a platform. */
export interface Capabilities {
  /** Messages can be changed after they were sent. */
  readonly edits: boolean;
  /** The longest text of a message. */
  readonly maxLength: number;
  /** The unit of {@link maxLength}. */
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

/** An account as its platform knows it. */
export interface CheckedAccount {
  /** The name that the gateway speaks as: that of the bot, the workspace or the number. */
  readonly name: string;
  /** Remarks for the operator, for example that a right is missing. */
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
   * Lists the 500 chats that were used last, each with its 20 newest threads. A driver whose platform keeps no queue calls it
   * after each start, and after each reconnect that does not resume the stream, before it receives anything. It reads what is
   * missing, passes it to {@link receive}, and calls {@link closeGap}. Until then, also in later runs, `since` stays where it
   * is.
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
