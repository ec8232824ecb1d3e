import type { ImageContent, Message } from '@earendil-works/pi-ai';
import type { Attachment } from '../../protocol/index.js';
import type { MessageWithReply } from '../../core/store/index.js';
import type { AgentTurn } from '../../core/turns/agent-runtime.js';
import { toUser, type Exchange } from './conversation.js';
import { isShared, renderMessage, renderReactions, type UserPart } from './people.js';
import { renderReply, type Voice } from './replies.js';
import type { ToolNames } from './tool-names.js';

/** How far back the model may remember, in messages; what fits its window is decided later. */
const MOST_MESSAGES = 200;
/** Images are dear: the newest of the conversation only. */
const MOST_IMAGES = 8;
/** What every provider takes as one image, in bytes. */
const LARGEST_IMAGE = 3_750_000;
const IMAGE_TYPES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** What was said up to the message that is to be answered. */
export interface Memory {
  /** Oldest first. */
  readonly earlier: readonly Exchange[];
  readonly asked: readonly UserPart[];
}

/** Reads what a model is to know of the conversation. */
export async function recall(turn: AgentTurn, voice: Voice, names: ToolNames, takesImages: boolean): Promise<Memory> {
  const shared = isShared(turn.session);
  const context = (await turn.readContext(MOST_MESSAGES)).filter(isPast);
  const images = takesImages ? await readImages(turn, context) : new Map<Attachment, ImageContent>();
  const earlier = context.map((message): Exchange => {
    const blocks = message.reply?.blocks ?? [];
    const messages: Message[] = [toUser(renderMessage(message, shared, images)), ...renderReply(blocks, voice, names)];
    if (message.reactions.length > 0) messages.push(toUser([{ type: 'text', text: renderReactions(message.reactions) }]));
    const replied = blocks.find((block) => block.block_type === 'text' || block.block_type === 'markdown')?.content ?? '';
    return { messages, sender: message.payload.sender, said: message.payload.content, replied };
  });
  return { earlier, asked: renderMessage(turn.message, shared, images) };
}

/** What waits has its own turn yet to come; what the gateway answered itself, a command, is none of the model's. */
function isPast({ status, reply }: MessageWithReply): boolean {
  if (status === 'queued' || status === 'running') return false;
  return status !== 'done' || reply === undefined || reply.blocks.length === 0 || reply.blocks.some((block) => block.block_type !== 'status');
}

/** The newest images that the model can take, those of the message to be answered first. */
async function readImages(turn: AgentTurn, context: readonly MessageWithReply[]): Promise<Map<Attachment, ImageContent>> {
  const images = new Map<Attachment, ImageContent>();
  const newestFirst = [turn.message, ...context.toReversed()].flatMap(({ payload }) => payload.attachments ?? []);
  for (const attachment of newestFirst) {
    if (images.size === MOST_IMAGES) break;
    if (attachment.kind !== 'image') continue;
    const media = await turn.readMedia(attachment);
    if (!media || !IMAGE_TYPES.has(media.mimeType) || media.bytes.byteLength > LARGEST_IMAGE) continue;
    images.set(attachment, { type: 'image', data: Buffer.from(media.bytes).toString('base64'), mimeType: media.mimeType });
  }
  return images;
}
