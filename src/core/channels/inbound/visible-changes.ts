import { hash } from 'node:crypto';
import { BoundedMap } from '../../cache/bounded-map.js';
import type { Update } from '../driver.js';

/** Number of messages whose content is remembered: those that came last. */
const MAX_MESSAGES = 10_000;

/** Recognises edits that change nothing people see; platforms deliver them like the others. */
export class VisibleChanges {
  private readonly contents = new BoundedMap<string, string>(MAX_MESSAGES);

  /** Returns true for an edit that changes what people see, and for any update that is not an edit. It counts as seen from then on. */
  note({ id, change, visible }: Update): boolean {
    if (visible === undefined || change?.kind === 'deletion') return true;
    const messageId = change?.messageId ?? id;
    const content = hash('sha256', JSON.stringify(visible), 'base64');
    const isSame = this.contents.get(messageId) === content;
    this.contents.set(messageId, content);
    return change === undefined || !isSame;
  }

  /** Forgets messages that were not stored and come again. */
  forget(updates: readonly Update[]): void {
    for (const { id, change } of updates) this.contents.delete(change?.messageId ?? id);
  }
}
