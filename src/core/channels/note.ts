import type { OutboxPart } from '../store/index.js';
import type { PartText, Place } from './driver.js';

/** Makes a note: a message to a chat that belongs to no reply. @param id the same for every try, so that it is sent once */
export function makeNote(id: string, place: Place, text: string, createdAt: number): OutboxPart {
  const texts: readonly PartText[] = [{ kind: 'status', text }];
  return { ...makePart(id, 0, place, createdAt), content: JSON.stringify(texts) };
}

/** Makes a part that was not sent. Only the first of a reply refers to the message. */
export function makePart(replyTo: string, number: number, place: Place, createdAt: number): OutboxPart {
  const { replyTo: _, ...withoutReference } = place;
  const target = JSON.stringify(number === 0 ? place : withoutReference);
  return { replyTo, number, state: 'waiting', place: target, doubts: 0, notBefore: 0, deadline: 0, createdAt };
}
