import type { TranscriptMessage } from '../../client/index.js';
import { download } from '../design/download.js';
import type { Conversation } from '../model/conversation.js';
import { texts } from '../texts.js';
import { formatFully } from '../times.js';
import { writeReply } from './written.js';

/** Returns a conversation in Markdown: each message and its reply under the writer's name and the time. */
export function writeConversation({ title, sender, transcript }: Conversation, agent: string): string {
  const parts = transcript.messages.flatMap((message) => writeExchange(message, sender, agent));
  return [`# ${title ?? texts.conversations.untitled}`, ...parts].join('\n\n') + '\n';
}

function writeExchange(message: TranscriptMessage, sender: string, agent: string): string[] {
  const isOwn = message.sender === sender || message.sender === '';
  const who = isOwn ? texts.message.you : (message.senderName ?? message.sender);
  const { attachments, content } = message;
  const files = attachments.length > 0 ? [`_${texts.message.attachments(attachments.length)}_`] : [];
  const reply = writeReply(message.reply);
  return [
    `## ${who}, ${formatFully(message.sentAt)}`,
    ...(content ? [content] : []),
    ...files,
    ...(reply === '' ? [] : [`## ${agent}`, reply]),
  ];
}

/** Saves a conversation as a Markdown file that is named after it. */
export function saveConversation(conversation: Conversation, agent: string): void {
  const content = new Blob([writeConversation(conversation, agent)], { type: 'text/markdown' });
  download(fileNameOf(conversation.title), content);
}

/** Returns a file name for a title: letters, digits and hyphens of any script. */
function fileNameOf(title: string | undefined): string {
  const name = (title ?? texts.conversations.untitled).replaceAll(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60);
  return `${name.replaceAll(/^-|-$/g, '') || 'conversation'}.md`;
}
