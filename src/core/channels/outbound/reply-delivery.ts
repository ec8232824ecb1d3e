import type { StreamBlock } from '../../../protocol/domain.js';
import { isFiringId } from '../../sessions/firing.js';
import type { OutboxPart } from '../../store/index.js';
import { ApprovalMessages } from './approval-messages.js';
import type { ChatLane } from './chat-lane.js';
import type { PartText, Place } from '../driver.js';
import { makePart } from '../note.js';
import { layOut, layOutEach, type Layout } from './part-layout.js';
import { PartSender } from './part-sender.js';
import type { ReplyProgress } from './reply-progress.js';
import type { RunContext } from '../run-context.js';
import { lengthOf, toPlainText } from '../kit/text-length.js';

/** Replaces a message that can be changed but not deleted. */
const EMPTIED: readonly PartText[] = [{ kind: 'text', text: '–' }];

/** Delivers one reply: shows it as it grows, and at its end as it stands. */
export class ReplyDelivery {
  private readonly parts: OutboxPart[] = [];
  /** The texts that the platform shows, as JSON, by the number of the part; absent where they are not known. */
  private readonly shown: string[] = [];
  private readonly layout: Layout;
  private readonly sender: PartSender;
  private readonly approvals: ApprovalMessages;

  constructor(
    private readonly run: RunContext,
    private readonly reply: ReplyProgress,
    private readonly place: Place,
    private readonly lane: ChatLane,
  ) {
    const { driver, capabilities, settings } = run;
    this.sender = new PartSender(run, lane);
    this.approvals = new ApprovalMessages(run, reply, place, this.sender);
    this.layout = {
      takesFiles: capabilities.media?.file !== undefined,
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
    const { messageRef } = this.reply;
    if (!isNew) this.parts.push(...(await persistence.read(() => store.listParts(channel, messageRef))));
    while (!this.reply.end) {
      const { changed } = this.reply;
      this.approvals.update();
      await this.showGrowing();
      await changed;
      if (this.mode === 'edit') await this.lane.waitForEdit();
      signal.throwIfAborted();
    }
    this.approvals.update();
    await this.showAll();
    await this.approvals.whenDone();
  }

  private get mode(): 'edit' | 'blocks' | 'final' {
    const { settings, capabilities } = this.run;
    const wanted = settings.streaming ?? 'edit';
    return wanted === 'edit' && !capabilities.edits ? 'blocks' : wanted;
  }

  private async showGrowing(): Promise<void> {
    if (this.mode === 'final') return;
    if (this.mode === 'blocks') return this.show(layOutEach(this.reply.settled, this.layout), false);
    await this.show(layOut([...this.reply.blocks, ...this.growing], this.layout), false);
  }

  /** The blocks that can be shown while they grow: a code block may become a file. */
  private get growing(): readonly StreamBlock[] {
    const { growing } = this.reply;
    const code = this.layout.takesFiles ? growing.findIndex(({ block_type: type }) => type === 'code') : -1;
    return code < 0 ? growing : growing.slice(0, code);
  }

  private async showAll(): Promise<void> {
    const { blocks, end } = this.reply;
    const parts = this.mode === 'blocks' ? layOutEach(blocks, this.layout) : layOut(blocks, this.layout);
    // A reply that was shown is never replaced by its error. A job reports its own failures.
    if (end?.error && !isFiringId(this.reply.messageId))
      parts.push([{ kind: 'status', text: `⚠ ${end.error.message}` }]);
    await this.show(parts, true);
    for (const part of this.parts.slice(parts.length)) await this.takeBack(part);
  }

  private async show(parts: readonly (readonly PartText[])[], isFinal: boolean): Promise<void> {
    for (const [number, texts] of parts.entries()) {
      const part = this.parts[number] ?? this.makePart(number);
      const isGrowing = !isFinal && this.mode === 'edit' && number === parts.length - 1;
      if (part.state === 'waiting' || part.state === 'sending') await this.send(part, texts, isGrowing);
      else if (part.state === 'sent' && this.run.capabilities.edits) await this.change(part, texts, isFinal);
    }
  }

  private async send(part: OutboxPart, texts: readonly PartText[], isGrowing: boolean): Promise<void> {
    const sent = await this.sender.send(part, texts, this.reply.writtenAt, { isGrowing });
    this.parts[part.number] = sent.part;
    if (!sent.wasFound) this.shown[part.number] = JSON.stringify(texts);
    else if (this.run.capabilities.edits) await this.change(sent.part, texts, false);
  }

  private async change(part: OutboxPart, texts: readonly PartText[], isFinal: boolean): Promise<void> {
    const wanted = JSON.stringify(texts);
    const isOpen = isFinal && part.ref !== undefined && this.run.driver.isOpen?.(part.ref) === true;
    if (this.shown[part.number] === wanted && !isOpen) return;
    const isShown = await this.sender.edit(part, texts, this.reply.writtenAt, !isFinal);
    if (isShown) this.shown[part.number] = wanted;
  }

  /** Takes back a part that a restart of the reply has left over. */
  private async takeBack(part: OutboxPart): Promise<void> {
    if (part.state !== 'sent' || part.ref === undefined) return;
    if (this.run.driver.remove) await this.sender.remove(part.ref, this.place, this.reply.writtenAt);
    else if (this.run.capabilities.edits) await this.change(part, EMPTIED, true);
  }

  private makePart(number: number): OutboxPart {
    return makePart(this.reply.messageRef, number, this.place, this.run.clock.now());
  }
}
