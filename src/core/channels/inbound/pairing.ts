import { randomInt } from 'node:crypto';
import { ExpiringMap } from '../../cache/expiring-map.js';
import { HOUR_MS } from '../../time/clock.js';
import type { Update } from '../driver.js';
import { makeNote } from '../note.js';
import type { OutboxPart, PairingOutcome } from '../../store/index.js';
import { LostLeaseError } from '../persistence.js';
import type { RunContext } from '../run-context.js';

/** Time for which a code can be approved, in milliseconds. */
const CODE_TTL_MS = HOUR_MS;
/** Requests of one account that wait; beyond them strangers get no response. */
const MAX_WAITING = 3;
/** Without letters and digits that look alike. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const CODE_LENGTH = 8;
const MAX_KNOWN = 10_000;
/** Time after which a sender who was let in is looked up again: an operator may have put them out, in milliseconds. */
const KNOWN_MS = 2_000;

/** A run that lets people in. */
export interface PairingRun extends RunContext {
  /** Sends a note that is stored. */
  sendNote(note: OutboxPart): void;
  /** Notes that a person who has written gets no code, because too many wait. */
  noteTurnedAway(): void;
}

/** Lets in senders whose code an operator has approved, and gives a code to those who have none. */
export class Pairing {
  private readonly approved: ExpiringMap<string, true>;

  constructor(private readonly run: PairingRun) {
    this.approved = new ExpiringMap(MAX_KNOWN, KNOWN_MS, () => run.clock.elapsed());
  }

  /** Returns whether this run has just seen that a sender was let in. */
  isApproved(sender: string): boolean {
    return this.approved.has(sender);
  }

  /** Forgets that a sender was let in: they were put out. */
  forget(sender: string): void {
    this.approved.delete(sender);
  }

  /**
   * Returns what is known of a sender: `approved` for one who was let in, `waiting` for one who has a code, `asked` for one who
   * gets it now, and `full` for one who gets none. Of an unknown sender only the ID is stored, with a code, if the update asks.
   * @throws LostLeaseError; GatewayError STORE_UNAVAILABLE
   */
  async ask({ sender, place }: Update, asks: boolean): Promise<Exclude<PairingOutcome, 'fenced'>> {
    if (this.isApproved(sender)) return 'approved';
    const { store, lease, clock, channel, log } = this.run;
    const askedAt = clock.now();
    const code = makeCode();
    const note = makeNote(
      `pairing:${code}`,
      place,
      `This assistant answers only people whom its operator has let in. Your code is ${code}.`,
      askedAt,
    );
    const request = { sender, code, askedAt, expiresAt: askedAt + CODE_TTL_MS };
    const outcome = await store.askPairing(lease, request, note, asks ? MAX_WAITING : 0);
    if (outcome === 'fenced') throw new LostLeaseError('another replica runs this account');
    if (outcome === 'approved') this.approved.set(sender, true);
    if (outcome === 'asked') {
      log.info({ channel, sender, code }, 'an unknown sender asks to be let in');
      this.run.sendNote(note);
    }
    if (outcome === 'full' && asks) {
      log.info({ channel }, 'an unknown sender gets no code: too many wait');
      this.run.noteTurnedAway();
    }
    return outcome;
  }
}

function makeCode(): string {
  return Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
