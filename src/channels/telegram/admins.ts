import { BoundedMap } from '../../core/cache/bounded-map.js';
import { DeliveryError } from '../../core/channels/driver.js';
import type { Clock } from '../../core/time/clock.js';
import type { BotApi } from './bot-api.js';

/** Time for which the admins of a group are known, in milliseconds. */
const KNOWN_FOR_MS = 300_000;
const MAX_GROUPS = 10_000;

interface Known {
  readonly ids: ReadonlySet<number>;
  /** By the monotonic clock. */
  readonly until: number;
}

/** The admins of groups. They are asked for when it matters, and again after five minutes or when members change. */
export class Admins {
  private readonly groups = new BoundedMap<number, Known>(MAX_GROUPS);

  constructor(
    private readonly api: BotApi,
    private readonly clock: Clock,
  ) {}

  /**
   * Returns whether a person is an admin of a group. False when Telegram does not say it.
   * @throws DeliveryError when it can be asked again; DriverError
   */
  async include(chat: number, user: number): Promise<boolean> {
    const known = this.groups.get(chat);
    if (known && known.until > this.clock.elapsed()) return known.ids.has(user);
    const askedAt = this.clock.elapsed();
    const ids = await this.ask(chat);
    this.groups.set(chat, { ids, until: askedAt + KNOWN_FOR_MS });
    return ids.has(user);
  }

  /** Notes that the members of a group have changed. */
  forget(chat: number): void {
    this.groups.delete(chat);
  }

  private async ask(chat: number): Promise<ReadonlySet<number>> {
    try {
      const members = await this.api.call((methods, abort) => methods.getChatAdministrators({ chat_id: chat }, abort));
      return new Set(members.map(({ user }) => user.id));
    } catch (error) {
      if (error instanceof DeliveryError && error.outcome === 'refused') return new Set();
      throw error;
    }
  }
}
