import { html, nothing, type TemplateResult } from 'lit';
import type { DirectiveResult } from 'lit/directive.js';
import type { TranscriptMessage } from '../../client/index.js';
import { icons } from '../design/icons.js';
import type { Tone } from '../design/look.js';
import { texts } from '../texts.js';
import { hasBegun } from './reply-progress.js';
import type { Thread } from './message.js';

/** The state of a message, as an icon, a word and a colour. */
interface Fate {
  readonly icon: DirectiveResult;
  readonly word: string;
  readonly tone: Tone;
  /** True when it needs a word for every message, not only for the newest. */
  readonly isPending: boolean;
}

/** Renders the state of a message, with what can be done while its reply has not begun. */
export function renderFate(message: TranscriptMessage, thread: Thread): TemplateResult | typeof nothing {
  const fate = describeFate(message, thread);
  if (fate === undefined) return nothing;
  const { icon, word, tone, isPending } = fate;
  return html`<span class="state ${tone}" role="status">${icon}${word}</span
    >${isPending && canTakeBack(message, thread) ? renderRemedies(message, thread) : nothing}`;
}

function describeFate(message: TranscriptMessage, thread: Thread): Fate | undefined {
  const { phase, reply } = message;
  if (phase === 'unsent') return describeUnsent(message, thread);
  const { transcript } = thread.conversation;
  const isWaiting = phase === 'open' && message !== transcript.current && !hasBegun(reply);
  if (isWaiting) {
    const word = texts.message.inLine(countAhead(message, thread));
    return { icon: icons.inLine, word, tone: 'faint', isPending: true };
  }
  if (phase === 'refused' || !isNewest(message, thread)) return undefined;
  return reply.end?.reason === 'stop'
    ? { icon: icons.answered, word: texts.message.answered, tone: 'faint', isPending: false }
    : { icon: icons.stored, word: texts.message.stored, tone: 'faint', isPending: false };
}

/** Describes an unsent message: at first by an icon alone, later in words, with the reason if there is one. */
function describeUnsent({ id, refusal }: TranscriptMessage, { chat }: Thread): Fate {
  if (refusal) {
    const word = texts.message.holds[refusal.code] ?? refusal.message;
    return { icon: icons.held, word, tone: 'warn', isPending: true };
  }
  if (!chat.isConnected)
    return { icon: icons.offline, word: texts.message.waitingForConnection, tone: 'warn', isPending: true };
  return chat.outbox.isLate(id)
    ? { icon: icons.working, word: texts.message.sending, tone: 'info', isPending: true }
    : { icon: icons.sent, word: texts.message.sent, tone: 'faint', isPending: false };
}

/** Returns the number of messages ahead: from the gateway if it is known, else from the messages on the page. */
function countAhead({ key, ahead }: TranscriptMessage, { conversation }: Thread): number {
  if (ahead !== undefined) return ahead;
  const open = conversation.transcript.messages.filter(({ phase }) => phase === 'open');
  return Math.max(0, open.findIndex((each) => each.key === key) - 1);
}

/** Returns true for the last message of the conversation. */
export function isNewest({ key }: TranscriptMessage, { conversation }: Thread): boolean {
  const { messages } = conversation.transcript;
  return messages[messages.length - 1]?.key === key;
}

function canTakeBack({ sender }: TranscriptMessage, { conversation }: Thread): boolean {
  return sender === conversation.sender || sender === '';
}

function renderRemedies(message: TranscriptMessage, { chat, conversation, writing }: Thread): TemplateResult {
  const isCancelling = conversation.isCancelling(message);
  return html`<button type="button" class="quiet" ?disabled=${isCancelling} @click=${() => writing.takeBack(message)}>
      ${texts.message.edit}
    </button>
    <button type="button" class="quiet" ?disabled=${isCancelling} @click=${() => chat.cancel(message)}>
      ${isCancelling ? texts.message.stopping : texts.message.cancel}
    </button>`;
}
