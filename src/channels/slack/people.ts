import { ExpiringMap } from '../../core/cache/expiring-map.js';
import type { Clock } from '../../core/time/clock.js';
import type { Names } from './content.js';
import { toRaw, toText, type Raw } from '../../core/channels/kit/raw.js';
import { unlessRefused } from '../platform/verdict.js';
import type { WebApi } from './web-api.js';

/** Time for which what was looked up is used, in milliseconds. */
const CACHE_MS = 300_000;
const MAX_KNOWN = 10_000;

/** A person, or a channel. */
export interface Known {
  readonly name?: string | undefined;
  readonly isAdmin: boolean;
}

/** Looks up people and channels by their IDs, and keeps what it has found for some minutes. */
export class People {
  private readonly known: ExpiringMap<string, Known>;

  constructor(
    private readonly api: WebApi,
    clock: Clock,
  ) {
    this.known = new ExpiringMap(MAX_KNOWN, CACHE_MS, () => clock.elapsed());
  }

  /**
   * Finds `@` with the ID of a person, or `#` with that of a channel. What Slack does not show has no name.
   * @throws DeliveryError when it can be tried again; DriverError
   */
  async find(id: string): Promise<Known> {
    const known = this.known.get(id);
    if (known) return known;
    const found = await unlessRefused(this.ask(id), { isAdmin: false });
    this.known.set(id, found);
    return found;
  }

  /** Returns the names of those that have one. */
  async name(ids: readonly string[]): Promise<Names> {
    const names = new Map<string, string>();
    for (const id of ids) {
      const { name } = await this.find(id);
      if (name !== undefined) names.set(id, name);
    }
    return names;
  }

  private async ask(id: string): Promise<Known> {
    if (id.startsWith('#')) {
      const { channel } = await this.api.call('conversations.info', { channel: id.slice(1) });
      return { name: toText(toRaw(channel)['name']), isAdmin: false };
    }
    const user = toRaw((await this.api.call('users.info', { user: id.slice(1) }))['user']);
    const isAdmin = user['is_admin'] === true || user['is_owner'] === true;
    return { name: nameOf(user), isAdmin };
  }
}

function nameOf(user: Raw): string | undefined {
  const profile = toRaw(user['profile']);
  return toText(profile['display_name']) ?? toText(profile['real_name']) ?? toText(user['name']);
}
