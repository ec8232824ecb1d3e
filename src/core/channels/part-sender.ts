import { failpoint } from '../failpoints/failpoint.js';
import type { OutboxPart } from '../store/index.js';
import { Backoff } from './backoff.js';
import type { ChatLane } from './chat-lane.js';
import { DeliveryError, DriverError, type Part, type PartText, type Place } from './driver.js';
import { callDriver } from './driver-guard.js';
import type { RunContext } from './run-context.js';

/** Time limit of one call of a driver, in milliseconds. Its outcome is unknown afterwards. */
const CALL_TIMEOUT_MS = 30_000;
/** Time for which a platform may still carry out a call whose response was lost, in milliseconds. */
const SETTLE_MS = 3_000;
/** After this number of failed look-ups, the part is sent again. */
const MAX_LOOK_UPS = 5;

/** A part whose fate is known. `wasFound`: it was there from an earlier call. */
export interface SentPart {
  readonly part: OutboxPart;
  readonly wasFound: boolean;
}

/** What a part has besides its texts. */
type Extras = Pick<Part, 'buttons' | 'isGrowing'>;

/** The result of a look-up. */
type Found = { readonly ref: string } | 'absent' | undefined;

/** Sends the parts of one chat: each once, as far as the platform can tell. */
export class PartSender {
  constructor(
    private readonly run: RunContext,
    private readonly lane: ChatLane,
  ) {}

  /**
   * Sends a part until the platform has confirmed it. A part whose outcome is unknown is looked up first. What the platform
   * refuses, and what is too old when the platform could take it, is given up.
   * @param writtenAt the age counts from it, in Unix milliseconds
   * @returns the part as it is stored, `sent` or `dead`; one that was found on the platform may show an earlier state
   * @throws LostLeaseError, DriverError, the abort's reason
   */
  async send(start: OutboxPart, texts: readonly PartText[], writtenAt: number, extras: Extras = {}): Promise<SentPart> {
    const { clock, signal } = this.run;
    const backoff = new Backoff(clock, signal);
    for (let part = start; ;) {
      if (this.isTooOld(writtenAt, part.notBefore))
        return { part: await this.bury(part, texts, TOO_OLD), wasFound: false };
      await this.sleepUntil(part.notBefore);
      if (part.state === 'sending' && !this.isRepeatable(part)) {
        const found = await this.lookUp(part, texts);
        if (found !== undefined && found !== 'absent')
          return { part: await this.noteSent(part, texts, found.ref), wasFound: true };
        if (found === undefined) part = this.doubt(part);
      }
      part = await this.write({ ...part, state: 'sending', deadline: clock.now() + CALL_TIMEOUT_MS });
      failpoint('outbox.before_send');
      const outcome = await this.run.calls.add(this.sendOnce(part, texts, extras));
      if (!(outcome instanceof Error)) return { part: outcome, wasFound: false };
      if (outcome instanceof DriverError || outcome.outcome === 'not_sent') part = await this.putBack(part, outcome);
      if (outcome instanceof DriverError) throw outcome;
      if (outcome.outcome === 'refused')
        return { part: await this.bury(part, texts, outcome.message), wasFound: false };
      if (outcome.outcome === 'unknown') part = { ...part, deadline: Math.min(part.deadline, clock.now() + SETTLE_MS) };
      await backoff.wait();
    }
  }

  /** Makes a call, and stores that the part was sent, or that it was not because the run ends before its turn. */
  private async sendOnce(
    part: OutboxPart,
    texts: readonly PartText[],
    extras: Extras,
  ): Promise<OutboxPart | DeliveryError | DriverError> {
    let hasBegun = false;
    try {
      const outcome = await this.attempt(() => {
        hasBegun = true;
        return this.run.driver.send(this.toPart(part, texts, extras));
      });
      if (typeof outcome !== 'string') return outcome;
      failpoint('outbox.after_send');
      this.run.count('sent');
      return await this.noteSent(part, texts, outcome);
    } catch (error) {
      if (!hasBegun) await this.record({ ...part, state: 'waiting' });
      throw error;
    }
  }

  /**
   * Changes a part that was sent, and tries again until the platform has confirmed it or refuses it. With `isOptional`, only
   * once: a later change has more.
   * @returns whether the platform shows the texts now
   * @throws as {@link send}
   */
  async edit(part: OutboxPart, texts: readonly PartText[], writtenAt: number, isOptional: boolean): Promise<boolean> {
    const { driver, clock, signal, pace } = this.run;
    const backoff = new Backoff(clock, signal);
    for (;;) {
      if (!isOptional) await pace.takeEdit();
      else if (!pace.takeGrowingEdit()) return false;
      const extras = { isGrowing: isOptional };
      const failure = await this.attempt(async () => driver.edit?.(part.ref ?? '', this.toPart(part, texts, extras)));
      if (failure instanceof DriverError) throw failure;
      if (failure === undefined) return true;
      const waitMs = failure.retryAfterMs ?? 0;
      this.holdBack(failure);
      if (isOptional) return false;
      const isOver = failure.outcome === 'refused' || this.isTooOld(writtenAt, clock.now() + waitMs);
      if (isOver) return this.bury(part, texts, failure.message).then(() => false);
      await backoff.wait(waitMs);
    }
  }

  /** Deletes a part that was sent, as well as the platform can. @throws as {@link send} */
  async remove(ref: string, place: Place): Promise<void> {
    const failure = await this.attempt(async () => this.run.driver.remove?.(ref, this.run.moved.current(place)));
    if (failure instanceof DriverError) throw failure;
    if (failure) this.run.log.warn({ error: failure, ref }, 'a superfluous message could not be deleted');
  }

  /** Returns whether the platform recognises a part that comes again. */
  private isRepeatable({ createdAt }: OutboxPart): boolean {
    const { clock, capabilities } = this.run;
    return clock.now() - createdAt < (capabilities.repeatableMs ?? 0);
  }

  /**
   * Asks the platform for a part whose outcome is unknown: at once, and if it is not there, again once the first call cannot
   * arrive any more.
   */
  private async lookUp(part: OutboxPart, texts: readonly PartText[]): Promise<Found> {
    if (!this.run.driver.lookUp) return undefined;
    const isEarly = part.deadline > this.run.clock.now();
    const found = await this.ask(part, texts);
    if (!isEarly || typeof found === 'object') return found;
    await this.sleepUntil(part.deadline);
    return this.ask(part, texts);
  }

  private async ask(part: OutboxPart, texts: readonly PartText[]): Promise<Found> {
    const { driver, clock, signal } = this.run;
    const backoff = new Backoff(clock, signal);
    for (let asked = 0; asked < MAX_LOOK_UPS; asked++) {
      const found = await this.attempt(async () => driver.lookUp?.(this.toPart(part, texts)));
      if (found instanceof DriverError) throw found;
      if (!(found instanceof DeliveryError)) return found;
      if (found.outcome === 'refused') return undefined;
      await backoff.wait(found.retryAfterMs);
      signal.throwIfAborted();
    }
    return undefined;
  }

  private async noteSent(part: OutboxPart, texts: readonly PartText[], ref: string): Promise<OutboxPart> {
    const { capabilities, failures } = this.run;
    // A dead letter needs its texts.
    const content = capabilities.failsLater ? { content: JSON.stringify(texts) } : {};
    const sent = await this.record({ ...part, ...content, state: 'sent', ref });
    await failures.noteSent(ref);
    return sent;
  }

  private doubt(part: OutboxPart): OutboxPart {
    this.run.count('possibly_twice');
    this.run.log.warn({ reply_to: part.replyTo, part: part.number }, 'a part is sent again that the platform may have');
    return { ...part, doubts: part.doubts + 1 };
  }

  /** Notes that the platform does not have a part, and from when on it may be sent. */
  private putBack(part: OutboxPart, failure: DeliveryError | DriverError): Promise<OutboxPart> {
    const waitMs = failure instanceof DeliveryError ? Math.ceil(failure.retryAfterMs ?? 0) : 0;
    if (failure instanceof DeliveryError) this.holdBack(failure);
    return this.record({ ...part, state: 'waiting', notBefore: this.run.clock.now() + waitMs });
  }

  /** Makes the calls of the chat, or of all chats, wait as long as the platform says. */
  private holdBack({ retryAfterMs = 0, isAccountWide }: DeliveryError): void {
    if (retryAfterMs > 0) (isAccountWide ? this.run.pace : this.lane).holdBack(retryAfterMs);
  }

  private async bury(part: OutboxPart, texts: readonly PartText[], reason: string): Promise<OutboxPart> {
    const dead = await this.write({ ...part, state: 'dead', content: JSON.stringify(texts), reason });
    const { log, channel } = this.run;
    this.run.count('dead');
    log.warn({ channel, reply_to: part.replyTo, part: part.number, reason }, 'a part was given up');
    return dead;
  }

  /** Returns whether something is too old to be sent at a time, or now if that is later. */
  private isTooOld(writtenAt: number, at: number): boolean {
    const { clock, settings } = this.run;
    return Math.max(at, clock.now()) - writtenAt > settings.delivery_max_age_ms;
  }

  /** Stores the outcome of a call, also when the run ends. */
  private async record(part: OutboxPart): Promise<OutboxPart> {
    const { store, lease, persistence } = this.run;
    await persistence.record(() => store.writePart(lease, part));
    return part;
  }

  private async write(part: OutboxPart): Promise<OutboxPart> {
    const { store, lease, persistence } = this.run;
    await persistence.write(() => store.writePart(lease, part));
    return part;
  }

  private async sleepUntil(time: number): Promise<void> {
    const { clock, signal } = this.run;
    const ms = time - clock.now();
    if (ms > 0) await clock.sleep(ms, signal);
    signal.throwIfAborted();
  }

  private toPart(
    { replyTo, number, place, createdAt }: OutboxPart,
    texts: readonly PartText[],
    extras: Extras = {},
  ): Part {
    const target = this.run.moved.current(JSON.parse(place) as Place);
    return { id: `${replyTo}.${number}`, place: target, texts, createdAt, ...extras };
  }

  /** Makes a call in its turn, with a time limit. Resolves with what it resolves with, or with its failure. */
  private async attempt<T>(make: () => Promise<T>): Promise<T | DeliveryError | DriverError> {
    const { clock, signal, pace } = this.run;
    let hasBegun = false;
    const patience = new AbortController();
    try {
      return await this.lane.run(async () => {
        await pace.waitForCall();
        signal.throwIfAborted();
        hasBegun = true;
        const late = clock.sleep(CALL_TIMEOUT_MS, patience.signal).then(() => {
          throw new DeliveryError('unknown', `the platform has not responded within ${CALL_TIMEOUT_MS / 1_000} s`);
        });
        return Promise.race([callDriver(this.run, make), late]);
      });
    } catch (error) {
      if (!hasBegun) signal.throwIfAborted();
      if (error instanceof DeliveryError || error instanceof DriverError) return error;
      const message = error instanceof Error ? error.message : String(error);
      return new DeliveryError('unknown', message, undefined, { cause: error });
    } finally {
      patience.abort();
    }
  }
}

const TOO_OLD = 'it was too old when the platform could take it';
