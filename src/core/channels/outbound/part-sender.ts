import { failpoint } from '../../failpoints/failpoint.js';
import type { OutboxPart } from '../../store/index.js';
import type { Span } from '../../telemetry/tracing.js';
import { Backoff } from '../kit/backoff.js';
import { CALL_TIMEOUT_MS, ChatCalls, HeldBackError } from './chat-calls.js';
import type { ChatLane } from './chat-lane.js';
import { DeliveryError, DriverError, type Part, type PartText, type Place } from '../driver.js';
import type { RunContext } from '../run-context.js';

/** Time for which a platform may still carry out a call whose response was lost, in milliseconds. */
const SETTLE_MS = 3_000;
/** After this number of failed look-ups, the part is sent again. */
const MAX_LOOK_UPS = 5;

/** A part whose fate is known. `wasFound`: it was there from an earlier call. */
export interface SentPart {
  readonly part: OutboxPart;
  readonly wasFound: boolean;
}

/** A part after a call for it. */
interface TriedPart {
  readonly part: OutboxPart;
  readonly failure?: DeliveryError | DriverError;
}

/** The fields of a part besides its texts. */
type Extras = Pick<Part, 'buttons' | 'isGrowing'>;

/** The result of a look-up. */
type Found = { readonly ref: string } | 'absent' | undefined;

/** Sends the parts of one chat: each once, as far as the platform can tell. */
export class PartSender {
  private readonly calls: ChatCalls;

  constructor(
    private readonly run: RunContext,
    lane: ChatLane,
  ) {
    this.calls = new ChatCalls(run, lane);
  }

  /**
   * Sends a part until the platform has confirmed it. A part whose outcome is unknown is looked up first. What the platform
   * refuses, and what is too old when the platform could take it, is given up.
   * @param writtenAt the age counts from it, in Unix milliseconds
   * @returns the part as it is stored, `sent` or `dead`; one that was found on the platform may show an earlier state
   * @throws LostLeaseError, DriverError, the abort's reason
   */
  async send(start: OutboxPart, texts: readonly PartText[], writtenAt: number, extras: Extras = {}): Promise<SentPart> {
    const backoff = new Backoff(this.run.clock, this.run.signal);
    for (let part = start; ;) {
      if (this.isTooOld(writtenAt, this.opensAt(part))) return this.giveUp(part, texts, TOO_OLD);
      await this.sleepUntil(part.notBefore);
      // If an earlier call has arrived, the platform recognises this one as its repetition.
      const isRepeated = part.state === 'sending' && this.isRepeatable(part);
      if (part.state === 'sending' && !isRepeated) {
        const found = await this.lookUp(part, texts, writtenAt);
        if (typeof found === 'object') return { part: await this.noteSent(part, texts, found.ref), wasFound: true };
        if (found === undefined) part = this.doubt(part);
        if (this.isTooOld(writtenAt, 0)) return this.giveUp(part, texts, TOO_OLD);
      }
      const { part: tried, failure } = await this.run.calls.add(this.sendOnce(part, texts, extras));
      if (!failure) return { part: tried, wasFound: false };
      if (failure instanceof DeliveryError && failure.outcome === 'refused')
        return this.giveUp(tried, texts, failure.message);
      part = await this.putBack(tried, failure, isRepeated);
      if (failure instanceof DriverError) throw failure;
      await backoff.wait();
    }
  }

  /**
   * Makes a call in its turn, and stores before it that it is made, and afterwards that the part was sent. Resolves with the part
   * as it is stored.
   */
  private async sendOnce(start: OutboxPart, texts: readonly PartText[], extras: Extras): Promise<TriedPart> {
    const { clock, driver } = this.run;
    let part = start;
    let hasBegun = false;
    let span: Span | undefined;
    const prepare = async () => {
      span = await this.run.traceDelivery?.(start.replyTo);
      part = await this.write({ ...start, state: 'sending', deadline: clock.now() + CALL_TIMEOUT_MS });
      failpoint('outbox.before_send');
    };
    try {
      const outcome = await this.calls.make(() => {
        hasBegun = true;
        return driver.send(this.toPart(part, texts, extras));
      }, prepare);
      span?.end(describeFailure(outcome));
      if (typeof outcome !== 'string') return { part, failure: outcome };
      failpoint('outbox.after_send');
      this.run.count('sent');
      return { part: await this.noteSent(part, texts, outcome) };
    } catch (error) {
      span?.end('stopped');
      // The run ends before its turn.
      if (!hasBegun && part !== start) await this.record(start);
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
      const failure = await this.calls.make(async () =>
        driver.edit?.(part.ref ?? '', this.toPart(part, texts, extras)),
      );
      if (failure instanceof DriverError) throw failure;
      if (failure === undefined) return true;
      const waitMs = failure.retryAfterMs ?? 0;
      if (waitMs > 0 && !(failure instanceof HeldBackError))
        await this.record({ ...part, notBefore: clock.now() + Math.ceil(waitMs) });
      if (isOptional) return false;
      const isOver = failure.outcome === 'refused' || this.isTooOld(writtenAt, clock.now() + waitMs);
      if (isOver) return this.bury(part, texts, failure.message).then(() => false);
      await backoff.wait(waitMs);
    }
  }

  /** Deletes a part that was sent, as well as the platform can. @throws as {@link send} */
  async remove(ref: string, place: Place, writtenAt: number): Promise<void> {
    const { clock, signal, driver, moved, log } = this.run;
    const backoff = new Backoff(clock, signal);
    for (;;) {
      const failure = await this.calls.make(async () => driver.remove?.(ref, moved.current(place)));
      if (failure instanceof DriverError) throw failure;
      if (!failure) return;
      const waitMs = failure.retryAfterMs ?? 0;
      if (failure.outcome !== 'not_sent' || this.isTooOld(writtenAt, clock.now() + waitMs))
        return log.warn({ error: failure, ref }, 'a superfluous message could not be deleted');
      await backoff.wait(waitMs);
    }
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
  private async lookUp(part: OutboxPart, texts: readonly PartText[], writtenAt: number): Promise<Found> {
    if (!this.run.driver.lookUp) return undefined;
    const isEarly = part.deadline > this.run.clock.now();
    const found = await this.ask(part, texts, writtenAt);
    if (!isEarly || typeof found === 'object') return found;
    await this.sleepUntil(part.deadline);
    return this.ask(part, texts, writtenAt);
  }

  private async ask(part: OutboxPart, texts: readonly PartText[], writtenAt: number): Promise<Found> {
    const { driver, clock, signal } = this.run;
    const backoff = new Backoff(clock, signal);
    for (let asked = 0; asked < MAX_LOOK_UPS; asked++) {
      const found = await this.calls.make(async () => driver.lookUp?.(this.toPart(part, texts)));
      if (found instanceof DriverError) throw found;
      if (!(found instanceof DeliveryError)) return found;
      const waitMs = found.retryAfterMs ?? 0;
      if (found.outcome === 'refused' || this.isTooOld(writtenAt, clock.now() + waitMs)) return undefined;
      await backoff.wait(waitMs);
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

  /**
   * Notes what a call that has failed leaves, and from when on the part may be sent.
   * @param isOpen an earlier call may have sent it
   */
  private async putBack(part: OutboxPart, failure: DeliveryError | DriverError, isOpen: boolean): Promise<OutboxPart> {
    const now = this.run.clock.now();
    if (failure instanceof DeliveryError && failure.outcome === 'unknown')
      return { ...part, deadline: Math.min(part.deadline, now + SETTLE_MS) };
    const waitMs = failure instanceof DeliveryError ? Math.ceil(failure.retryAfterMs ?? 0) : 0;
    return this.record({ ...part, state: isOpen ? 'sending' : 'waiting', notBefore: now + waitMs });
  }

  private async giveUp(part: OutboxPart, texts: readonly PartText[], reason: string): Promise<SentPart> {
    return { part: await this.bury(part, texts, reason), wasFound: false };
  }

  /** Returns the time before which a part cannot be sent, in Unix milliseconds. */
  private opensAt({ notBefore }: OutboxPart): number {
    return Math.max(notBefore, this.run.clock.now() + this.calls.heldMs);
  }

  private async bury(part: OutboxPart, texts: readonly PartText[], why: string): Promise<OutboxPart> {
    const reason = this.run.hideSecrets(why);
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
}

const TOO_OLD = 'it was too old when the platform could take it';

/** Returns the kind of a failure for a span; undefined if the platform has confirmed the part. */
function describeFailure(outcome: string | DeliveryError | DriverError): string | undefined {
  if (typeof outcome === 'string') return undefined;
  return outcome instanceof DeliveryError ? outcome.outcome : 'driver';
}
