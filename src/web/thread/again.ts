import { html, nothing, type TemplateResult } from 'lit';
import type { TranscriptMessage } from '../../client/index.js';
import { icons } from '../design/icons.js';
import { texts } from '../texts.js';
import { nameAuthor } from './author.js';
import type { Thread } from './message.js';

/** Returns true when the user may send something in place of a message. */
function isReplaceable(message: TranscriptMessage, { chat, conversation }: Thread): boolean {
  const { phase, ref, supersededBy } = message;
  const isOwn = nameAuthor(message, conversation, chat.link.identity?.principal) === undefined;
  return phase === 'ended' && ref !== undefined && isOwn && supersededBy === undefined && chat.mayWrite;
}

/** Renders the button that puts an answered message back into the composer. */
export function renderEdit(message: TranscriptMessage, thread: Thread): TemplateResult | typeof nothing {
  if (!isReplaceable(message, thread)) return nothing;
  return html`<button type="button" class="quiet" @click=${() => thread.writing.editAgain(message)}>
    ${icons.edit}${texts.message.edit}
  </button>`;
}

/** Renders the button that has a message answered again. Tools of the earlier answer may run again. */
export function renderAnswerAgain(message: TranscriptMessage, thread: Thread): TemplateResult | typeof nothing {
  if (!isReplaceable(message, thread)) return nothing;
  const hasCalls = message.reply.standing.some(({ block }) => block.block_type === 'tool_call');
  return html`<chat-second-press
    .label=${texts.message.answerAgain}
    .warning=${hasCalls ? texts.message.toolsAgain : ''}
    .icon=${icons.retry}
    @act=${() => thread.writing.answerAgain(message)}
  ></chat-second-press>`;
}
