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
