import type { ImageContent, Message } from '@earendil-works/pi-ai';
import type { Attachment } from '../../protocol/index.js';
import type { MessageWithReply, StoredMessage } from '../../core/store/index.js';
import type { AgentTurn } from '../../core/turns/agent-runtime.js';
import type { ToolOutcome } from '../../core/tools/tool.js';
import type { Media } from '../../core/turns/media-source.js';
import { readImageSize } from './image-size.js';
import { toUser, type Exchange } from './prompt.js';
import { isShared, renderMessage, renderReactions, type UserPart } from './people.js';
import { renderReply, type Voice } from './replies.js';
import type { ToolNames } from '../../core/tools/tool-names.js';

/** Maximum number of messages before the prompt is truncated to the model's window. */
const MAX_MESSAGES = 200;
/** Maximum number of images, the newest ones; each costs as many tokens as a long text. */
const MAX_IMAGES = 8;
/** The largest image that every provider accepts, in bytes. */
const MAX_IMAGE_BYTES = 3_750_000;
/** The longest side of an image that every provider accepts, in pixels. */
const MAX_IMAGE_SIDE = 8_000;
const IMAGE_TYPES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** The conversation up to the message to answer. */
export interface Memory {
  /** Oldest first. */
  readonly earlier: readonly Exchange[];
  readonly asked: readonly UserPart[];
}

/** Returns the conversation as a model gets it. */
export async function recall(turn: AgentTurn, voice: Voice, names: ToolNames, takesImages: boolean): Promise<Memory> {
  const shared = isShared(turn.session);
  const stored = await turn.readContext(MAX_MESSAGES);
  const failed = new Set(stored.filter(({ status }) => status === 'failed').map(({ messageRef }) => messageRef));
  const context = stored.filter((message) => isPast(message, turn) && !isOf(failed, message));
  const images = takesImages
    ? await readImages(turn, [turn.message, ...context.toReversed()])
    : new Map<Attachment, ImageContent>();
  const refs = new Set(context.map(({ messageRef }) => messageRef));
  // A message that joined another's turn was answered there, so it stands before that reply.
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

/** Returns messages that joined the turn as the model gets them. */
export async function recallJoined(
  turn: AgentTurn,
  joined: readonly StoredMessage[],
  takesImages: boolean,
): Promise<Message[]> {
  const images = takesImages ? await readImages(turn, joined) : new Map<Attachment, ImageContent>();
  return joined.map((message) => toUser(renderMessage(message, isShared(turn.session), images)));
}

/** Returns whether a message or the turn that it joined is one of `refs`. */
function isOf(refs: ReadonlySet<string>, { messageRef, reply }: MessageWithReply): boolean {
  return refs.has(messageRef) || (reply?.mergedInto !== undefined && refs.has(reply.mergedInto));
}

/** Returns whether a message is part of the context: waiting messages have turns of their own, and commands need no model. */
function isPast({ status, reply }: MessageWithReply, turn: AgentTurn): boolean {
  if (status === 'queued' || status === 'running' || reply?.mergedInto === turn.message.messageRef) return false;
  return (
    status !== 'done' ||
    reply === undefined ||
    reply.blocks.length === 0 ||
    reply.blocks.some((block) => block.block_type !== 'status')
  );
}

/** Returns the images of `messages` that every provider accepts, the first ones first. */
async function readImages(turn: AgentTurn, messages: readonly StoredMessage[]): Promise<Map<Attachment, ImageContent>> {
  const images = new Map<Attachment, ImageContent>();
  for (const attachment of messages.flatMap(({ payload }) => payload.attachments ?? [])) {
    if (images.size === MAX_IMAGES) break;
    if (attachment.kind !== 'image') continue;
    const media = await turn.readMedia(attachment);
    if (media && isAcceptable(media)) images.set(attachment, toImage(media));
  }
  return images;
}

/** Returns the pictures that a call shows, of those that every provider accepts. */
export async function readShownImages(turn: AgentTurn, outcome: ToolOutcome): Promise<ImageContent[]> {
  const shown = outcome.ok ? (outcome.images ?? []) : [];
  const read = await Promise.all(
    shown.map(({ mediaId, mimeType }) => turn.readMedia({ kind: 'image', media_id: mediaId, mime_type: mimeType })),
  );
  return read
    .filter((media) => media !== undefined)
    .filter(isAcceptable)
    .map(toImage);
}

function toImage({ bytes, mimeType }: Media): ImageContent {
  return { type: 'image', data: Buffer.from(bytes).toString('base64'), mimeType };
}

function isAcceptable({ mimeType, bytes }: Media): boolean {
  if (!IMAGE_TYPES.has(mimeType) || bytes.byteLength > MAX_IMAGE_BYTES) return false;
  const size = readImageSize(bytes);
  return size === undefined || Math.max(size.width, size.height) <= MAX_IMAGE_SIDE;
}
