import type { ImageContent, Message } from '@earendil-works/pi-ai';
import type { Attachment } from '../../protocol/index.js';
import type { MessageWithReply, StoredMessage } from '../../core/store/index.js';
import type { AgentTurn } from '../../core/turns/agent-runtime.js';
import { toUser, type Exchange } from './prompt.js';
import { isShared, renderMessage, renderReactions, type UserPart } from './people.js';
import { renderReply, type Voice } from './replies.js';
import type { ToolNames } from '../../core/tools/tool-names.js';

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
  const context = (await turn.readContext(MOST_MESSAGES)).filter((message) => isPast(message, turn));
  const images = takesImages
    ? await readImages(turn, [turn.message, ...context.toReversed()])
    : new Map<Attachment, ImageContent>();
  const refs = new Set(context.map(({ messageRef }) => messageRef));
  // What joined another message's turn was answered there: it stands before that reply.
  const leaderOf = ({ messageRef, reply }: MessageWithReply) =>
    reply?.mergedInto !== undefined && refs.has(reply.mergedInto) ? reply.mergedInto : messageRef;
  const groups = Map.groupBy(context, leaderOf);
  const earlier = context.flatMap((message): Exchange[] => {
    if (leaderOf(message) !== message.messageRef) return [];
    const asked = groups.get(message.messageRef) ?? [];
    const blocks = message.reply?.blocks ?? [];
    const messages: Message[] = [
      ...asked.map((one) => toUser(renderMessage(one, shared, images))),
      ...renderReply(blocks, voice, names),
    ];
    if (message.reactions.length > 0)
      messages.push(toUser([{ type: 'text', text: renderReactions(message.reactions) }]));
    const replied =
      blocks.find((block) => block.block_type === 'text' || block.block_type === 'markdown')?.content ?? '';
    return [
      {
        messages,
        sender: message.payload.sender,
        said: asked.map(({ payload }) => payload.content).join('\n'),
        replied,
      },
    ];
  });
  return { earlier, asked: renderMessage(turn.message, shared, images) };
}

/** Messages that joined the turn, as the model is told them. */
export async function recallJoined(
  turn: AgentTurn,
  joined: readonly StoredMessage[],
  takesImages: boolean,
): Promise<Message[]> {
  const images = takesImages ? await readImages(turn, joined) : new Map<Attachment, ImageContent>();
  return joined.map((message) => toUser(renderMessage(message, isShared(turn.session), images)));
}

/** What waits has its own turn yet to come; what the gateway answered itself, a command, is none of the model's. */
function isPast({ status, reply }: MessageWithReply, turn: AgentTurn): boolean {
  if (status === 'queued' || status === 'running' || reply?.mergedInto === turn.message.messageRef) return false;
  return (
    status !== 'done' ||
    reply === undefined ||
    reply.blocks.length === 0 ||
    reply.blocks.some((block) => block.block_type !== 'status')
  );
}

/** The images of `messages` that the model can take, the first ones first. */
async function readImages(turn: AgentTurn, messages: readonly StoredMessage[]): Promise<Map<Attachment, ImageContent>> {
  const images = new Map<Attachment, ImageContent>();
  for (const attachment of messages.flatMap(({ payload }) => payload.attachments ?? [])) {
    if (images.size === MOST_IMAGES) break;
    if (attachment.kind !== 'image') continue;
    const media = await turn.readMedia(attachment);
    if (!media || !IMAGE_TYPES.has(media.mimeType) || media.bytes.byteLength > LARGEST_IMAGE) continue;
    images.set(attachment, {
      type: 'image',
      data: Buffer.from(media.bytes).toString('base64'),
      mimeType: media.mimeType,
    });
  }
  return images;
}
