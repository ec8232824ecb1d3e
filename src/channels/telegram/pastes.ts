import { BoundedMap } from '../../core/cache/bounded-map.js';
import type { Update } from '../../core/channels/driver.js';
import type { RawUpdate } from './updates.js';

/** Clients cut a long text into messages: cuts were seen from 3,900 UTF-16 units on. */
const MIN_CUT_LENGTH = 3_500;
/** Pieces are joined up to this length, in UTF-16 units: a message has no more (protocol.md section 3). */
const MAX_JOINED_LENGTH = 65_000;
/** Time in which the next piece may come, in milliseconds. */
const PIECE_WAIT_MS = 1_500;
const MAX_CHATS = 1_000;

/** A text that may have been cut. */
interface Cut {
  readonly key: string;
  readonly sender: string;
  readonly sentAt: number;
  /** Length of the pieces so far. */
  readonly length: number;
}

/** Marks the pieces of a text that a client has cut, so that they are read as one message. */
export class Pastes {
  private readonly newest = new BoundedMap<string, Cut>(MAX_CHATS);

  /** Returns the update with the mark of the text that it belongs to, if there is one. */
  join(update: Update): Update {
    const { id, sender, sentAt, place } = update;
    const raw = update.raw as RawUpdate;
    const text = raw.kind === 'message' ? raw.message.text : undefined;
    const before = this.newest.get(place.chat);
    this.newest.delete(place.chat);
    if (text === undefined || update.join) return update;
    const isSoon = before?.sender === sender && Math.abs(sentAt - before.sentAt) <= PIECE_WAIT_MS + 500;
    const isNext = isSoon && before.length + text.length < MAX_JOINED_LENGTH;
    const isLong = text.length >= MIN_CUT_LENGTH;
    if (!isNext && !isLong) return update;
    const key = isNext ? before.key : `paste:${id}`;
    const length = text.length + (isNext ? before.length : 0);
    if (isLong) this.newest.set(place.chat, { key, sender, sentAt, length });
    return { ...update, join: { key, waitMs: PIECE_WAIT_MS } };
  }
}
