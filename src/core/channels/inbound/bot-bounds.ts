import { BoundedMap } from '../../cache/bounded-map.js';
import { HOUR_MS, type Clock } from '../../time/clock.js';
import type { ReadMessage, Update } from '../driver.js';

/** Number of turns that another bot may cause in a chat within {@link PERIOD_MS}, after which it rests for {@link REST_MS}. */
const MAX_TURNS = 5;
const PERIOD_MS = 600_000;
const REST_MS = HOUR_MS;
const MAX_CHATS = 10_000;

/** The newest turns that bots have caused in a chat. */
interface Turns {
  /** When they began, by the monotonic clock. */
  at: number[];
  restsUntil: number;
}

/** Bounds what other bots write, so that two bots do not answer each other without an end. */
export class BotBounds {
  private readonly chats = new BoundedMap<string, Turns>(MAX_CHATS);

  constructor(private readonly clock: Clock) {}

  /** Returns whether a message is answered: one of a bot only when it addresses the agent, some times. A person resets it. */
  admits({ isBot, place }: Update, message: ReadMessage): boolean {
    if (!isBot) {
      this.chats.delete(place.chat);
      return true;
    }
    if (!message.is_direct_mention && !message.is_reply_to_agent) return false;
    const now = this.clock.elapsed();
    const turns = this.chats.get(place.chat) ?? { at: [], restsUntil: 0 };
    this.chats.set(place.chat, turns);
    if (turns.restsUntil > now) return false;
    turns.at = [...turns.at.filter((at) => at > now - PERIOD_MS), now];
    if (turns.at.length <= MAX_TURNS) return true;
    turns.restsUntil = now + REST_MS;
    turns.at = [];
    return false;
  }
}
