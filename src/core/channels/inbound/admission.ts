import { decideAdmission } from './who-may-talk.js';
import type { Target, Update } from '../driver.js';
import { Pairing, type PairingRun } from './pairing.js';
import type { Senders } from './senders.js';

/** Admitted people that are passed to a driver. */
const MAX_PAIRED = 100;

/** A run that admits updates. */
export interface Admitting extends PairingRun {
  readonly senders: Senders;
}

/** Decides which updates may reach the agent, before anything of them is stored. */
export class Admission {
  private readonly pairing: Pairing;

  constructor(private readonly run: Admitting) {
    this.pairing = new Pairing(run);
  }

  /**
   * Returns an update with the first ID of its sender, or undefined for one that is ignored. An unknown sender gets a
   * code for a message, and nothing for an edit or a reaction. A sender who gets no code is not stored.
   * @throws LostLeaseError; GatewayError STORE_UNAVAILABLE
   */
  async admit(update: Update): Promise<Update | undefined> {
    const { settings, senders, moved } = this.run;
    const { sender: given, aliases, groupId } = update;
    if (update.isBot && !settings.allow_bots) return undefined;
    const identify = () => senders.identify(given, aliases ?? []);
    const verdict = decideAdmission(settings, { ids: identify(), groupId }, { senders, moved });
    if (verdict === 'ignored') return undefined;
    const asks = !update.change && !update.reaction;
    const known = { ...update, sender: senders.firstOfAll(identify()) };
    const outcome = verdict === 'admitted' ? 'approved' : await this.pairing.ask(known, asks);
    const named = aliases && outcome !== 'full' ? { ...update, sender: await senders.join(identify()) } : known;
    return outcome === 'approved' ? named : undefined;
  }

  /** Notes that a sender was put out. */
  forget(sender: string): void {
    this.pairing.forget(sender);
  }

  /** Implements `ChannelLink.admits`. */
  admits(who: Target): boolean {
    const { settings, senders, moved } = this.run;
    const isGroup = 'groupId' in who;
    const ids = isGroup ? [] : [senders.firstOf(who.sender)];
    if (ids.some((id) => this.pairing.isApproved(id))) return true;
    const author = { ids, ...(isGroup && { groupId: who.groupId }) };
    return decideAdmission(settings, author, { senders, moved }) === 'admitted';
  }

  /** Implements `ChannelLink.listPeople`. */
  async listPeople(): Promise<readonly string[]> {
    const { settings, store, channel, persistence } = this.run;
    const named = settings.allow_from.map(String).filter((id) => id !== '*');
    const admitted = await persistence.read(() => store.listAdmitted(channel, MAX_PAIRED));
    return [...new Set([...named, ...admitted.map(({ sender }) => sender)])];
  }
}
