import type { Clock } from '../../time/clock.js';
import { DeliveryError, DriverError, type ChannelLink } from '../driver.js';

/** Attempts at a call that fails, and the pause between two, in milliseconds. */
const MAX_ATTEMPTS = 4;
const PAUSE_MS = 1_000;

/**
 * Repeats a call: while the platform limits it, as long as the platform wants; a few times when it fails otherwise.
 * @throws what the last attempt has thrown; the abort's reason
 */
export async function patiently<T>(call: () => Promise<T>, clock: Clock, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.outcome === 'refused') throw error;
      if (error.retryAfterMs === undefined && attempt >= MAX_ATTEMPTS) throw error;
      await clock.sleep(error.retryAfterMs ?? PAUSE_MS, signal);
      signal.throwIfAborted();
    }
  }
}

/** The reading of chats in which messages may have been missed. */
export interface ChatReading<C> {
  readonly chatOf: (chat: C) => string;
  /** Hands over what was missed. Resolves with whether that is all of it. */
  readonly read: (chat: C) => Promise<boolean>;
  readonly link: Pick<ChannelLink, 'closeGap' | 'log'>;
  /** Aborts when nothing new should be taken: no further chat is read then. */
  readonly signal: AbortSignal;
  /** Number of chats that are read at the same time. */
  readonly parallel?: number;
}

/**
 * Reads chats after a time without a connection, for a platform that keeps no queue.
 * @returns the number of chats that could not be read, or not whole
 * @throws DriverError; what `read` throws besides a DeliveryError, for example that it could not be stored
 */
export async function readChats<C>(chats: readonly C[], reading: ChatReading<C>): Promise<number> {
  const { chatOf, read, link, signal, parallel = 1 } = reading;
  const waiting = [...chats];
  let unread = 0;
  const work = async () => {
    for (let chat = waiting.shift(); chat !== undefined && !signal.aborted; chat = waiting.shift()) {
      try {
        if (!(await read(chat))) unread++;
        await link.closeGap(chatOf(chat));
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof DriverError || !(error instanceof DeliveryError)) throw error;
        link.log.warn({ error, chat: chatOf(chat) }, 'what was written in a chat before the start could not be read');
        unread++;
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return unread;
}
