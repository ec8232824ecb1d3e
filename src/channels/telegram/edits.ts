import { createHash } from 'node:crypto';
import { BoundedMap } from '../../core/cache/bounded-map.js';
import type { Update } from '../../core/channels/driver.js';
import { findFile } from './content.js';
import type { RawUpdate } from './updates.js';

/** Number of messages whose content is remembered: those that came last. */
const MAX_MESSAGES = 5_000;

/** Distinguishes edits of visible content from the others, for which Telegram sends the same update. */
export class Edits {
  private readonly contents = new BoundedMap<string, string>(MAX_MESSAGES);

  /** Returns whether an update is new, or an edit with another text, caption or file than before. */
  changes({ place, raw }: Update): boolean {
    const one = raw as RawUpdate;
    if (one.kind !== 'message') return true;
    const { message } = one;
    const key = `${place.chat}:${message.message_id}`;
    const before = this.contents.get(key);
    const content = hash([message.text, message.caption, findFile(message)?.id]);
    this.contents.set(key, content);
    return message.edit_date === undefined || before !== content;
  }

  /** Forgets all messages: their updates were not stored and come again. */
  clear(): void {
    this.contents.clear();
  }
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64');
}
