import type { OutboxPart } from '../store/index.js';
import type { PartText, Place } from './driver.js';

/** Makes a note: a message to a chat that belongs to no reply. @param id the same for every try, so that it is sent once */
export function makeNote(id: string, place: Place, text: string, createdAt: number): OutboxPart {
  const texts: readonly PartText[] = [{ kind: 'status', text }];
  return {
    replyTo: id,
    number: 0,
    state: 'waiting',
    place: JSON.stringify(place),
    content: JSON.stringify(texts),
    doubts: 0,
    notBefore: 0,
    deadline: 0,
    createdAt,
  };
}
