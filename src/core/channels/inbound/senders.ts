import type { AccountLease, ChannelStore } from '../../store/index.js';
import { followSteps } from './moved-chats.js';
import type { Persistence } from '../persistence.js';

/** The people of an account whose platform has several IDs for one. Inwards a person has the ID that came first. */
export class Senders {
  private readonly firstIds = new Map<string, string>();

  constructor(
    private readonly store: ChannelStore,
    private readonly lease: AccountLease,
    private readonly persistence: Persistence,
  ) {}

  async load(): Promise<void> {
    for (const { alias, sender } of await this.store.listSenderAliases(this.lease.channel))
      this.firstIds.set(alias, sender);
  }

  /**
   * Returns those of the IDs of an author that are this person. An alias of a person with further IDs is left out: a phone
   * number may have a new owner, who must not reach the sessions of the one before.
   */
  identify(sender: string, aliases: readonly string[]): readonly [string, ...string[]] {
    const given = new Set([sender, ...aliases]);
    const own = aliases.filter((alias) => {
      const first = this.firstOf(alias);
      return !this.firstIds.has(alias) || first === this.firstOf(sender) || !this.hasFurtherIds(first, given);
    });
    return [sender, ...own];
  }

  /**
   * Notes that IDs are one person, and returns the person's first ID. It is stored before this resolves.
   * @throws LostLeaseError, the abort's reason
   */
  async join(ids: readonly [string, ...string[]]): Promise<string> {
    const sender = this.firstOfAll(ids);
    for (const alias of ids.flatMap((id) => [this.firstOf(id), id])) {
      if (this.firstIds.get(alias) === sender) continue;
      await this.persistence.write(() => this.store.joinSender(this.lease, { alias, sender }));
      this.firstIds.set(alias, sender);
    }
    return sender;
  }

  /** Returns the first ID of a person by several. */
  firstOfAll(ids: readonly [string, ...string[]]): string {
    return this.firstOf(ids.find((id) => this.firstIds.has(id)) ?? ids[0]);
  }

  /** Returns the first ID of a person. */
  firstOf(id: string): string {
    return followSteps(id, this.firstIds);
  }

  private hasFurtherIds(first: string, given: ReadonlySet<string>): boolean {
    for (const [id, next] of this.firstIds)
      if (!given.has(id) && (next === first || (next !== id && this.firstOf(next) === first))) return true;
    return false;
  }
}
