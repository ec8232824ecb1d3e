import { decideAdmission } from './who-may-talk.js';
import type { Update } from './driver.js';
import { Pairing } from './pairing.js';
import type { OutboxPart } from '../store/index.js';
import type { RunContext } from './run-context.js';
import type { Senders } from './senders.js';

/** A run that admits updates. */
export interface Admitting extends RunContext {
  readonly senders: Senders;
  /** Sends a note that is stored. */
  sendNote(note: OutboxPart): void;
}

/** Decides which updates may reach the agent, before anything of them is stored. */
export class Admission {
  private readonly pairing: Pairing;

  constructor(private readonly run: Admitting) {
    this.pairing = new Pairing(run);
  }

  /**
   * Returns an update with the first ID of its sender, or undefined for one that is ignored. An unknown sender gets a code for
   * a message, and nothing for an edit or a reaction.
   * @throws LostLeaseError; GatewayError STORE_UNAVAILABLE
   */
  async admit(update: Update): Promise<Update | undefined> {
    const { settings, senders, moved } = this.run;
    if (update.isBot && !settings.allow_bots) return undefined;
    const { sender: given, aliases } = update;
    const sender = aliases ? await senders.identify(given, aliases) : senders.firstOf(given);
    const named = sender === given ? update : { ...update, sender };
    switch (decideAdmission(settings, named, { senders, moved })) {
      case 'admitted':
        return named;
      case 'ignored':
        return undefined;
      case 'pairing': {
        const asks = !update.change && !update.reaction;
        return (await this.pairing.admit(named, asks)) ? named : undefined;
      }
    }
  }

  /** Returns whether a person may write, as far as this run knows. */
  knows(sender: string): boolean {
    const { settings, senders, moved } = this.run;
    const first = senders.firstOf(sender);
    return (
      this.pairing.isApproved(first) || decideAdmission(settings, { sender: first }, { senders, moved }) === 'admitted'
    );
  }
}
