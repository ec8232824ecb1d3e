import { randomInt } from 'node:crypto';
import { BoundedMap } from '../cache/bounded-map.js';
import { HOUR_MS } from '../time/clock.js';
import type { Update } from './driver.js';
import { makeNote } from './note.js';
import type { OutboxPart, PairingOutcome } from '../store/index.js';
import { LostLeaseError } from './persistence.js';
import type { RunContext } from './run-context.js';

/** Time for which a code can be approved, in milliseconds. */
const CODE_TTL_MS = HOUR_MS;
/** Requests of one account that wait; beyond them strangers get no response. */
const MAX_WAITING = 3;
/** Without letters and digits that look alike. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const CODE_LENGTH = 8;
const MAX_KNOWN = 10_000;

/** Lets in senders whose code an operator has approved, and gives a code to those who have none. */
export class Pairing {
  private readonly approved = new BoundedMap<string, true>(MAX_KNOWN);

  /** @param run its `sendNote` sends a note that is stored */
  constructor(private readonly run: RunContext & { sendNote(note: OutboxPart): void }) {}

  /** Returns whether this run has seen that a sender was let in. */
  isApproved(sender: string): boolean {
    return this.approved.get(sender) ?? false;
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
    return outcome;
  }
}

function makeCode(): string {
  return Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
