import { toVisibleText } from '../../../protocol/visible-text.js';
import type { OutboxPart } from '../../store/index.js';
import type { Button, PartText, Place } from '../driver.js';
import { makePart } from '../note.js';
import type { PartSender } from './part-sender.js';
import type { AskedCall, ReplyProgress } from './reply-progress.js';
import type { RunContext } from '../run-context.js';
import { shorten } from '../kit/text-length.js';

/** Maximum length of the arguments that a message shows, in UTF-16 units; at most a third of the message. */
const MAX_ARGUMENTS_LENGTH = 600;

/** Shows the calls of a reply that need an approval, each in a message of its own that ends with the outcome. */
export class ApprovalMessages {
  private readonly messages = new Map<string, Promise<void>>();

  constructor(
    private readonly run: RunContext,
    private readonly reply: ReplyProgress,
    private readonly place: Place,
    private readonly sender: PartSender,
  ) {}

  /** Shows the calls that were not shown. */
  update(): void {
    for (const call of this.reply.asked) {
      if (this.messages.has(call.approvalId)) continue;
      const message = this.deliver(call).catch((error: unknown) => this.run.fail(error));
      this.messages.set(call.approvalId, message);
    }
  }

  /** Resolves when all of them show their outcomes, or when the run ends. */
  async whenDone(): Promise<void> {
    await Promise.all(this.messages.values());
  }

  private async deliver(call: AskedCall): Promise<void> {
    const { store, channel, persistence, signal, capabilities } = this.run;
    const { writtenAt } = this.reply;
    const id = `approval:${call.approvalId}`;
    const [known] = await persistence.read(() => store.listParts(channel, id));
    let part: OutboxPart = known ?? makePart(id, 0, this.place, this.run.clock.now());
    if (part.state !== 'sent' && !call.outcome && !this.reply.end) {
      const buttons = capabilities.buttons ? toButtons(call) : undefined;
      const texts = ask(call, buttons === undefined, capabilities.maxLength);
      part = (await this.sender.send(part, texts, writtenAt, { buttons })).part;
    }
    while (!call.outcome && !this.reply.end && !signal.aborted) await this.reply.changed;
    signal.throwIfAborted();
    if (part.state !== 'sent') return;
    const outcome: readonly PartText[] = [{ kind: 'status', text: describe(call) }];
    if (capabilities.edits) await this.sender.edit(part, outcome, this.reply.writtenAt, false);
    else await this.sendOutcome(id, outcome);
  }

  /** Where messages cannot be changed, the outcome is another one. */
  private async sendOutcome(id: string, texts: readonly PartText[]): Promise<void> {
    const { store, channel, persistence } = this.run;
    const [, known] = await persistence.read(() => store.listParts(channel, id));
    const part = known ?? makePart(id, 1, this.place, this.run.clock.now());
    if (part.state === 'waiting' || part.state === 'sending') await this.sender.send(part, texts, this.reply.writtenAt);
  }
}

function toButtons({ approvalId }: AskedCall): readonly Button[] {
  return [
    { text: 'Approve', data: `a:${approvalId}` },
    { text: 'Deny', data: `d:${approvalId}` },
  ];
}

/** Returns the question. What is not seen in the foreign texts is written out: a person decides on what is shown. */
function ask(
  { approvalId, tool, parameters, detail }: AskedCall,
  namesCommands: boolean,
  maxLength: number,
): readonly PartText[] {
  const room = Math.min(MAX_ARGUMENTS_LENGTH, Math.floor(maxLength / 3));
  const commands = `Answer /approve ${approvalId} or /deny ${approvalId}`;
  return [
    { kind: 'text', text: `May I run ${toVisibleText(tool)}?` },
    ...(detail === undefined ? [] : [{ kind: 'text', text: shorten(toVisibleText(detail), room) } as const]),
    { kind: 'code', text: shorten(toVisibleText(JSON.stringify(parameters)), room), language: 'json' },
    ...(namesCommands ? [{ kind: 'text', text: commands } as const] : []),
  ];
}

function describe({ tool, outcome }: AskedCall): string {
  return toVisibleText(`${tool}: ${outcome ?? 'no longer needed'}`);
}
