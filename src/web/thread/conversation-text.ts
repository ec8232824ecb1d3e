import type { TranscriptMessage } from '../../client/index.js';
import { download } from '../design/download.js';
import type { Conversation } from '../model/conversation.js';
import type { GatewayLink } from '../model/gateway-link.js';
import { texts } from '../texts.js';
import { formatFully } from '../times.js';
import { nameAuthor } from './author.js';
import { writeReply } from './written.js';

/** Who speaks on the page. */
type Voices = Pick<GatewayLink, 'agentName' | 'identity'>;

/** Returns a conversation in Markdown: each message and its reply under the writer's name and the time. */
export function writeConversation(conversation: Conversation, link: Voices): string {
  const { title, transcript } = conversation;
  const parts = transcript.messages.flatMap((message) => writeExchange(message, conversation, link));
  return [`# ${title ?? texts.conversations.untitled}`, ...parts].join('\n\n') + '\n';
}

function writeExchange(
  message: TranscriptMessage,
  conversation: Conversation,
  { agentName, identity }: Voices,
): string[] {
  const who = nameAuthor(message, conversation, identity?.principal) ?? texts.message.you;
  const { attachments, content } = message;
  const files = attachments.length > 0 ? [`_${texts.message.attachments(attachments.length)}_`] : [];
  const reply = writeReply(message.reply);
  return [
    `## ${who}, ${formatFully(message.sentAt)}`,
    ...(content ? [content] : []),
    ...files,
    ...(reply === '' ? [] : [`## ${agentName}`, reply]),
  ];
}

/** Saves a conversation as a Markdown file that is named after it. */
export function saveConversation(conversation: Conversation, link: Voices): void {
  const content = new Blob([writeConversation(conversation, link)], { type: 'text/markdown' });
  download(fileNameOf(conversation.title), content);
}

/** Returns a file name for a title: letters, digits and hyphens of any script. */
function fileNameOf(title: string | undefined): string {
  const name = (title ?? texts.conversations.untitled).replaceAll(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60);
  return `${name.replaceAll(/^-|-$/g, '') || 'conversation'}.md`;
}
