import type { AccountLease, ChannelStore } from '../store/index.js';
import { followSteps } from './moved-chats.js';
import type { Persistence } from './persistence.js';

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
   * Returns the first ID of the author of a message, and joins the aliases. An alias of a person with further IDs is not
   * joined: a phone number may have a new owner, who must not reach the sessions of the one before.
   * @throws LostLeaseError, the abort's reason
   */
  identify(sender: string, aliases: readonly string[]): Promise<string> {
    const given = new Set([sender, ...aliases]);
    const joined = aliases.filter((alias) => {
      const first = this.firstOf(alias);
      return !this.firstIds.has(alias) || first === this.firstOf(sender) || !this.hasFurtherIds(first, given);
    });
    return this.join([sender, ...joined]);
  }

  /**
   * Notes that IDs are one person, and returns the person's first ID. It is stored before this resolves.
   * @throws LostLeaseError, the abort's reason
   */
  async join(ids: readonly [string, ...string[]]): Promise<string> {
    const sender = this.firstOf(ids.find((id) => this.firstIds.has(id)) ?? ids[0]);
    for (const alias of ids.flatMap((id) => [this.firstOf(id), id])) {
      if (this.firstIds.get(alias) === sender) continue;
      await this.persistence.write(() => this.store.joinSender(this.lease, { alias, sender }));
      this.firstIds.set(alias, sender);
    }
    return sender;
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
