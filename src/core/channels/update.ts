import { hash } from 'node:crypto';
import type { MessageInPayload } from '../../protocol/domain.js';
import type { Place } from './place.js';

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
   * The visible parts of the message: its text, the IDs of its files. An edit that changes nothing of it is left out;
   * platforms deliver one when the preview of a link is ready. It is not stored.
   */
  readonly visible?: readonly unknown[] | undefined;
  /** JSON, with all that `Driver.read` needs: for example the object as the platform sent it. */
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
  /** The platform's ID of the message as `Driver.send` resolved with it: the message may be a part of a reply. */
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

/** Returns the ID of an edit of a message. @param mark when it was edited, else its text */
export function editIdOf(messageId: string, mark: number | string): string {
  return `${messageId}:edit:${typeof mark === 'number' ? mark : hash('sha256', mark, 'hex')}`;
}
