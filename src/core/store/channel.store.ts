import type { Json } from './records.js';

/**
 * The right of one replica to run an account of a channel for a limited time. Every write for the account carries it and
 * has no effect once the account has a higher epoch (fencing).
 */
export interface AccountLease {
  /** The account, by its name in messages: `telegram`, `telegram.support`. */
  readonly channel: string;
  readonly owner: string;
  readonly epoch: number;
}

/** A message as its platform handed it over. It stays until the gateway has acknowledged it. */
export interface InboxEntry {
  /** The ID of the message, as in `message_in`. An entry with a known ID is a redelivery and changes nothing. */
  readonly messageId: string;
  /** The chat. Entries of one chat are handled in the order in which they were added. */
  readonly chat: string;
  /** Where the reply goes. */
  readonly place: Json;
  /** The update as the platform handed it over. */
  readonly update: Json;
  /** The reading, if the driver needed look-ups for it; a repeat uses it, so that the message is the same. */
  readonly reading?: Json | undefined;
  /** False for what changes a message or reacts to one: the time of it may not be the platform's. Not stored. */
  readonly isMessage?: boolean | undefined;
  /** When it was written, by the platform's clock, and when it arrived, in Unix milliseconds. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** A chat, or a thread of it, with the newest message that its platform has handed over. */
export interface SeenChat {
  readonly chat: string;
  readonly place: Json;
  readonly messageId: string;
  /** By the platform's clock, in Unix milliseconds. */
  readonly sentAt: number;
  /** The chat has a gap from this time on; the time of the newest message of the chat if it has none. */
  readonly missingSince: number;
}

/** A chat whose platform has given it a new ID. */
export interface MovedChat {
  readonly from: string;
  readonly to: string;
}

/** One of several IDs of a person. */
export interface SenderAlias {
  readonly alias: string;
  /** The ID by which the person is known, or another alias. */
  readonly sender: string;
}

/** The state of one part of a reply, or of a note. */
export interface OutboxPart {
  /** The `message_ref` of the message that it replies to, or the ID of a note. */
  readonly replyTo: string;
  /** The place among the parts of the reply, from 0. */
  readonly number: number;
  /**
   * `waiting`: not sent. `sending`: the intent; after a crash it is unknown whether the platform has the part. `sent`: the
   * platform has confirmed it. `dead`: it was given up.
   */
  readonly state: 'waiting' | 'sending' | 'sent' | 'dead';
  readonly place: Json;
  /** The platform's ID of the message that shows it, once that is known. */
  readonly ref?: string | undefined;
  /** The texts, for notes, dead parts and parts that may fail later. Those of others are in the session's log. */
  readonly content?: Json | undefined;
  /** Why it is dead. */
  readonly reason?: string | undefined;
  /** Number of times that it was sent again although the platform may have had it. */
  readonly doubts: number;
  /** The platform takes nothing for this part before this time, in Unix milliseconds. */
  readonly notBefore: number;
  /** The time limit of the newest call, in Unix milliseconds. Until then the platform may still receive it. */
  readonly deadline: number;
  /** When the part was created, in Unix milliseconds. */
  readonly createdAt: number;
}

/** A part that was given up. */
export interface DeadLetter extends OutboxPart {
  /** Grows with the age: newer letters have higher IDs. */
  readonly id: number;
  readonly channel: string;
}

/** Selects dead letters, newest first. */
export interface DeadLetterQuery {
  readonly channel?: string | undefined;
  /** The ID of the last letter of the previous page; absent for the first page. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** A sender who was let in. */
export interface AdmittedSender {
  readonly sender: string;
  /** Unix milliseconds. */
  readonly approvedAt: number;
}

/** A chat that the platform makes wait. */
export interface HeldChat {
  /** A place in the chat. */
  readonly place: Json;
  /** When the platform takes something again, in Unix milliseconds. */
  readonly until: number;
}

/** The request of an unknown sender to be let in. */
export interface PairingRequest {
  readonly sender: string;
  /** Sent to the sender; an operator approves it. */
  readonly code: string;
  /** Unix milliseconds. */
  readonly askedAt: number;
  readonly expiresAt: number;
}

/**
 * `approved`: the sender was let in before. `asked`: the request is stored. `waiting`: the sender has asked before. `full`:
 * too many wait. `fenced`: the lease is lost.
 */
export type PairingOutcome = 'approved' | 'asked' | 'waiting' | 'full' | 'fenced';

/** Threads of a chat that are listed: those used last. */
export const MAX_LISTED_THREADS = 20;

/**
 * The inbox and the outbox of the channels, and the leases of their accounts. Writes resolve with false, and change
 * nothing, when the lease is no longer the newest of its account. All calls reject with GatewayError STORE_UNAVAILABLE
 * when the store cannot answer.
 */
export abstract class ChannelStore {
  /**
   * Takes an account, or extends the lease that `owner` holds, with the same epoch. Every other lease has a higher epoch
   * than those before. Resolves with undefined while another replica holds the account.
   */
  abstract takeAccount(channel: string, owner: string, leaseMs: number): Promise<AccountLease | undefined>;

  /** Gives the account back, so that another replica can take it at once. */
  abstract releaseAccount(lease: AccountLease): Promise<void>;

  /** Adds updates in this order. */
  abstract addInbox(lease: AccountLease, entries: readonly InboxEntry[]): Promise<boolean>;

  /**
   * Lists the chats that were used last, at most `limit`, and of each the threads that were used last, at most {@link
   * MAX_LISTED_THREADS}, each with its newest message. Chats without messages for 90 days are forgotten.
   */
  abstract listChats(channel: string, limit: number): Promise<readonly SeenChat[]>;

  /** Notes that each chat has a gap from its newest message on: what was written since may not have been handed over. A gap that is open stays as it is. */
  abstract openGaps(lease: AccountLease): Promise<boolean>;

  /** Notes that a chat has no gap. */
  abstract closeGap(lease: AccountLease, chat: string): Promise<boolean>;

  /** Notes that a chat has a new ID. A chat moves once. */
  abstract moveChat(lease: AccountLease, chat: MovedChat): Promise<boolean>;

  abstract listMovedChats(channel: string): Promise<readonly MovedChat[]>;

  /** Notes that an ID is one of a person. It replaces what was noted for it. */
  abstract joinSender(lease: AccountLease, alias: SenderAlias): Promise<boolean>;

  abstract listSenderAliases(channel: string): Promise<readonly SenderAlias[]>;

  /** Lists the entries of an account, oldest first. */
  abstract listInbox(channel: string): Promise<readonly InboxEntry[]>;

  /** Lists the IDs of updates that were a part of a message and are settled, the newest first, at most `limit`. */
  abstract listJoined(channel: string, limit: number): Promise<readonly string[]>;

  /** Keeps the reading of an entry. */
  abstract keepReading(lease: AccountLease, messageId: string, reading: Json): Promise<boolean>;

  /**
   * Removes the entries of one message. With a `messageRef`, the gateway has acknowledged it: the place of the reply, which
   * is that of the first entry, stays under the ref. With `takesPart`, the agent takes part in its thread from then on. The
   * IDs of several entries are kept: see {@link listJoined}.
   */
  abstract settleInbox(
    lease: AccountLease,
    messageIds: readonly string[],
    messageRef?: string,
    takesPart?: boolean,
  ): Promise<boolean>;

  /** Returns whether the agent takes part in a thread of a chat. */
  abstract takesPart(channel: string, chat: string, thread: string): Promise<boolean>;

  /** Finds where the reply to a message goes: by its ref, or by its ID while it waits in the inbox. */
  abstract findPlace(channel: string, messageRef: string, messageId: string): Promise<Json | undefined>;

  /** Stores the state of a part in place of its earlier one. */
  abstract writePart(lease: AccountLease, part: OutboxPart): Promise<boolean>;

  /** Lists the parts of a reply by their number. */
  abstract listParts(channel: string, replyTo: string): Promise<readonly OutboxPart[]>;

  /** Finds what a part that was sent to a chat replies to, by the platform's ID of the part. */
  abstract findReplyTo(channel: string, chat: string, ref: string): Promise<string | undefined>;

  /** Makes a part that was sent a dead letter, by the platform's ID of it. */
  abstract failPart(lease: AccountLease, ref: string, reason: string): Promise<'failed' | 'unknown' | 'fenced'>;

  /** Adds a message to a chat that replies to nothing in the log. One with a known ID changes nothing. */
  abstract addNote(lease: AccountLease, note: OutboxPart): Promise<'added' | 'known' | 'fenced'>;

  /** Lists the chats for which the platform takes nothing at the moment. */
  abstract listHeldChats(channel: string): Promise<readonly HeldChat[]>;

  /** Lists the notes that the platform has not confirmed, oldest first. */
  abstract listNotes(channel: string): Promise<readonly OutboxPart[]>;

  /**
   * Stores the request of an unknown sender, with the note that has the code, unless the sender was approved or has asked
   * before, or `maxWaiting` requests wait.
   */
  abstract askPairing(
    lease: AccountLease,
    request: PairingRequest,
    note: OutboxPart,
    maxWaiting: number,
  ): Promise<PairingOutcome>;

  /** Lists the requests that wait, oldest first. */
  abstract listPairings(channel: string): Promise<readonly PairingRequest[]>;

  /**
   * Lets in the sender of a request that waits. Resolves with undefined if no such request waits. The change and its row in
   * the audit trail are one commit.
   */
  abstract approvePairing(channel: string, code: string, actor: string): Promise<PairingRequest | undefined>;

  /** Lists the senders who were let in, the newest first, at most `limit`, each with when. */
  abstract listAdmitted(channel: string, limit: number): Promise<readonly AdmittedSender[]>;

  /**
   * Puts out a sender who was let in, or who waits for it. Resolves with false if there is none. The change and its row in the
   * audit trail are one commit.
   */
  abstract revokePairing(channel: string, sender: string, actor: string): Promise<boolean>;

  abstract listDeadLetters(query: DeadLetterQuery): Promise<readonly DeadLetter[]>;

  /** Counts the dead letters of each channel that has some. */
  abstract countDeadLetters(): Promise<Readonly<Record<string, number>>>;

  /**
   * Makes a dead letter a note that waits, as new. Resolves with undefined if there is no such letter. The change and its
   * row in the audit trail are one commit, here and in {@link discardDeadLetter}.
   */
  abstract retryDeadLetter(id: number, actor: string): Promise<DeadLetter | undefined>;

  /** Deletes a dead letter. Resolves with false if there is no such letter. */
  abstract discardDeadLetter(id: number, actor: string): Promise<boolean>;
}
