/** Schemas of fields that several payloads have. */
import Type from 'typebox';
import { text } from './text.js';

/** A name on the wire: a channel, a sender, a group, a queue. */
export const name = (description: string) => text({ min: 1, max: 256, controls: false }, description);

/** A non-negative integer. */
export const int = (description?: string) => Type.Integer({ minimum: 0, ...(description ? { description } : {}) });
/** The gateway's name of a message. */
export const messageRef = Type.String({ description: "The gateway's name of the message, unique for ever." });
/** The sender's id of a message. */
export const messageId = Type.String({ description: "The sender's own id of the message." });
