/** Schemas of fields shared by several payloads. */
import Type from 'typebox';
import { text } from './text.js';

/** A name in a frame: a channel, a sender, a group or a queue. */
export const name = (description: string) => text({ min: 1, max: 256, controls: false }, description);

/** A non-negative integer. */
export const int = (description?: string) => Type.Integer({ minimum: 0, ...(description ? { description } : {}) });
/** The gateway's reference to a message. */
export const messageRef = Type.String({ description: "The gateway's reference to the message, permanently unique." });
/** The sender's own id of a message. */
export const messageId = Type.String({ description: "The sender's own id of the message." });
