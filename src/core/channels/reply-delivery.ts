import { failpoint } from '../failpoints/failpoint.js';
import type { OutboxPart } from '../store/index.js';
import { Backoff } from './backoff.js';
import type { ChatLane } from './chat-lane.js';
import { DeliveryError, DriverError, type Part, type PartText, type Place } from './driver.js';
import { layOut, layOutEach, type Layout } from './part-layout.js';
import type { ReplyProgress } from './reply-progress.js';
import type { RunContext } from './run-context.js';
import { lengthOf, toPlainText } from './text-length.js';

/** Time limit of one call of a driver, in milliseconds. Its outcome is unknown afterwards. */
const CALL_TIMEOUT_MS = 30_000;

/** What stands in place of a message that can be emptied but not deleted. */
const EMPTIED: readonly PartText[] = [{ kind: 'text', text: '–' }];

/** Delivers one reply: shows it as it grows, and at its end as it stands. */
export class ReplyDelivery {
  private readonly parts: OutboxPart[] = [];
  /** What the platform shows, by number; absent where that is not known. */
  private readonly shown: string[] = [];
  private readonly layout: Layout;

  constructor(
    private readonly run: RunContext,
    private readonly reply: ReplyProgress,
    private readonly place: Place,
    private readonly lane: ChatLane,
  ) {
    const { driver, capabilities, settings } = run;
    this.layout = {
      showTools: settings.show_tools,
      maxLength: capabilities.maxLength,
      measure: (texts) => driver.measure?.(texts) ?? lengthOf(toPlainText(texts), capabilities.lengthUnit),
    };
  }

  /**
   * Resolves when the platform has confirmed the whole reply, or when what it refused is given up.
   * @param isNew no part of it was sent in an earlier run
   * @throws LostLeaseError, DriverError, the abort's reason
   */
  async deliver(isNew: boolean): Promise<void> {
    const { store, channel, persistence, signal } = this.run;
    if (!isNew) this.parts.push(...(await persistence.read(() => store.listParts(channel, this.reply.messageRef))));
    while (!this.reply.end) {
      const { changed } = this.reply;
      await this.showGrowing();
      await changed;
      if (this.mode === 'edit') await this.lane.waitForEdit();
      signal.throwIfAborted();
    }
    await this.showAll();
  }

  private get mode(): 'edit' | 'blocks' | 'final' {
    const { settings, capabilities } = this.run;
    const wanted = settings.streaming ?? 'edit';
    return wanted === 'edit' && !capabilities.edits ? 'blocks' : wanted;
  }

  private async showGrowing(): Promise<void> {
    if (this.mode === 'final') return;
    if (this.mode === 'blocks') return this.show(layOutEach(this.reply.settled, this.layout), false);
    await this.show(layOut([...this.reply.blocks, ...this.reply.growing], this.layout), false);
  }

  private async showAll(): Promise<void> {
    const { blocks, end } = this.reply;
    const parts = this.mode === 'blocks' ? layOutEach(blocks, this.layout) : layOut(blocks, this.layout);
    // A reply that was shown is never replaced by its error.
    if (end?.error) parts.push([{ kind: 'status', text: `⚠ ${end.error.message}` }]);
    await this.show(parts, true);
    for (let number = parts.length; number < this.parts.length; number++) await this.takeBack(number);
  }

  private async show(parts: readonly (readonly PartText[])[], isFinal: boolean): Promise<void> {
    for (const [number, texts] of parts.entries()) {
      const part = this.parts[number];
      if (part?.state === 'dead') continue;
      if (part?.state !== 'sent') await this.send(number, texts);
      else if (this.run.capabilities.edits && this.shown[number] !== JSON.stringify(texts)) {
        await this.edit(number, part, texts, isFinal);
      }
    }
  }

  private async send(number: number, texts: readonly PartText[]): Promise<void> {
    const { driver, clock, signal, count } = this.run;
    const backoff = new Backoff(clock, signal);
    let part = this.parts[number] ?? this.makePart(number);
    for (;;) {
      signal.throwIfAborted();
      if (this.isTooOld(part.notBefore))
        return this.bury(part, texts, 'it was too old when the platform could take it');
      await clock.sleep(Math.max(0, part.notBefore - clock.now()), signal);
      if (part.state === 'sending') {
        const found = await this.lookUp(part, texts);
        if (found !== undefined && found !== 'absent') return this.confirm(part, found.ref, texts);
        if (found === undefined) part = this.doubt(part);
      }
      part = { ...part, state: 'sending', deadline: clock.now() + CALL_TIMEOUT_MS };
      await this.write(part);
      failpoint('outbox.before_send');
      const outcome = await this.attempt(() => driver.send(this.toPart(number, texts)));
      if (typeof outcome === 'string') {
        failpoint('outbox.after_send');
        count('sent');
        return this.confirm(part, outcome, texts);
      }
      if (outcome instanceof DriverError || outcome.outcome === 'not_sent') part = await this.putBack(part, outcome);
      if (outcome instanceof DriverError) throw outcome;
      if (outcome.outcome === 'refused') return this.bury(part, texts, outcome.message);
      await backoff.wait();
    }
  }

  /** Edits a part. While the reply grows, an edit that fails is left out: a later one has more. */
  private async edit(number: number, part: OutboxPart, texts: readonly PartText[], isFinal: boolean): Promise<void> {
    const { driver, clock, signal } = this.run;
    const backoff = new Backoff(clock, signal);
    for (;;) {
      signal.throwIfAborted();
      const failure = await this.attempt(async () => driver.edit?.(part.ref ?? '', this.toPart(number, texts)));
      if (failure === undefined) {
        this.shown[number] = JSON.stringify(texts);
        return;
      }
      if (failure instanceof DriverError) throw failure;
      if (failure.retryAfterMs !== undefined) this.lane.holdBack(failure.retryAfterMs);
      if (!isFinal) return;
      if (failure.outcome === 'refused' || this.isTooOld(clock.now() + (failure.retryAfterMs ?? 0)))
        return this.bury(part, texts, failure.message);
      await backoff.wait(failure.retryAfterMs);
    }
  }

  /** Takes back a part that a restart of the reply has left over. */
  private async takeBack(number: number): Promise<void> {
    const { driver, capabilities } = this.run;
    const part = this.parts[number];
    if (part?.state !== 'sent' || part.ref === undefined) return;
    const { ref } = part;
    if (!driver.remove) return capabilities.edits ? this.edit(number, part, EMPTIED, true) : undefined;
    const failure = await this.attempt(async () => driver.remove?.(ref, this.place));
    if (failure instanceof DriverError) throw failure;
    if (failure) this.run.log.warn({ error: failure, ref }, 'a superfluous message could not be deleted');
  }

  /** Asks the platform for a part whose outcome is unknown, once the first call cannot arrive any more. */
  private async lookUp(part: OutboxPart, texts: readonly PartText[]): Promise<{ ref: string } | 'absent' | undefined> {
    const { driver, clock, signal } = this.run;
    if (!driver.lookUp) return undefined;
    await clock.sleep(Math.max(0, part.deadline - clock.now()), signal);
    const found = await this.attempt(async () => driver.lookUp?.(this.toPart(part.number, texts)));
    if (found instanceof DriverError) throw found;
    return found instanceof DeliveryError ? undefined : found;
  }

  private doubt(part: OutboxPart): OutboxPart {
    const { log, count } = this.run;
    count('possibly_twice');
    log.warn({ message_ref: part.replyTo, part: part.number }, 'a part is sent again that the platform may have');
    return { ...part, doubts: part.doubts + 1 };
  }

  private async confirm(part: OutboxPart, ref: string, texts: readonly PartText[]): Promise<void> {
    await this.write({ ...part, state: 'sent', ref });
    this.shown[part.number] = JSON.stringify(texts);
  }

  /** Notes that the platform does not have a part, and from when on it may be sent. */
  private async putBack(part: OutboxPart, failure: DeliveryError | DriverError): Promise<OutboxPart> {
    const waitMs = failure instanceof DeliveryError ? (failure.retryAfterMs ?? 0) : 0;
    if (waitMs > 0) this.lane.holdBack(waitMs);
    const waiting = { ...part, state: 'waiting', notBefore: this.run.clock.now() + waitMs } as const;
    await this.write(waiting);
    return waiting;
  }

  private async bury(part: OutboxPart, texts: readonly PartText[], reason: string): Promise<void> {
    const { log, count, channel } = this.run;
    await this.write({ ...part, state: 'dead', content: JSON.stringify(texts), reason });
    count('dead');
    log.warn({ channel, message_ref: part.replyTo, part: part.number, reason }, 'a part of a reply was given up');
  }

  private makePart(number: number): OutboxPart {
    return {
      replyTo: this.reply.messageRef,
      number,
      state: 'waiting',
      place: JSON.stringify(this.place),
      doubts: 0,
      notBefore: 0,
      deadline: 0,
      createdAt: this.run.clock.now(),
    };
  }

  private toPart(number: number, texts: readonly PartText[]): Part {
    return { id: `${this.reply.messageRef}.${number}`, place: this.place, texts };
  }

  /** Returns whether the reply is too old to be sent at a time, or now if that is later. */
  private isTooOld(at: number): boolean {
    const { clock, settings } = this.run;
    return Math.max(at, clock.now()) - this.reply.writtenAt > settings.delivery_max_age_ms;
  }

  private async write(part: OutboxPart): Promise<void> {
    const { store, lease, persistence } = this.run;
    await persistence.write(() => store.writePart(lease, part));
    this.parts[part.number] = part;
  }

  /** Makes a call in its turn, with a time limit. Resolves with what it resolves with, or with its failure. */
  private async attempt<T>(make: () => Promise<T>): Promise<T | DeliveryError | DriverError> {
    const { clock } = this.run;
    const patience = new AbortController();
    try {
      return await this.lane.run(() => {
        const late = clock.sleep(CALL_TIMEOUT_MS, patience.signal).then(() => {
          throw new DeliveryError('unknown', `the platform has not responded within ${CALL_TIMEOUT_MS / 1_000} s`);
        });
        return Promise.race([make(), late]);
      });
    } catch (error) {
      this.run.signal.throwIfAborted();
      if (error instanceof DeliveryError || error instanceof DriverError) return error;
      const message = error instanceof Error ? error.message : String(error);
      return new DeliveryError('unknown', message, undefined, { cause: error });
    } finally {
      patience.abort();
    }
  }
}
