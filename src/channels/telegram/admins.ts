import { ExpiringMap } from '../../core/cache/expiring-map.js';
import type { Clock } from '../../core/time/clock.js';
import { unlessRefused } from '../platform/verdict.js';
import type { BotApi } from './bot-api.js';

/** Time for which the admins of a group are known, in milliseconds. */
const KNOWN_FOR_MS = 300_000;
const MAX_GROUPS = 10_000;

/** The admins of groups. They are asked for when it matters, and again after five minutes or when members change. */
export class Admins {
  private readonly groups: ExpiringMap<number, ReadonlySet<number>>;

  constructor(
    private readonly api: Pick<BotApi, 'call'>,
    clock: Clock,
  ) {
    this.groups = new ExpiringMap(MAX_GROUPS, KNOWN_FOR_MS, () => clock.elapsed());
  }

  /**
   * Returns whether a person is an admin of a group. False when Telegram does not say it.
   * @throws DeliveryError when it can be asked again; DriverError
   */
  async include(chat: number, user: number): Promise<boolean> {
    const known = this.groups.get(chat);
    if (known) return known.has(user);
    const members = await unlessRefused(this.api.call('getChatAdministrators', { chat_id: chat }), []);
    const ids = new Set(members.map((member) => member.user.id));
    this.groups.set(chat, ids);
    return ids.has(user);
  }

  /** Notes that the members of a group have changed. */
  forget(chat: number): void {
    this.groups.delete(chat);
  }
}
