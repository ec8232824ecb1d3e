import type { Chat } from './chat.js';
import type { CanvasBlock, ReplyState, StreamBlock, Transcript } from '../../client/index.js';

/** A state of a surface that an agent drew, as a block of a reply says it. */
export type Surface = Omit<CanvasBlock, 'messages'> & { readonly messages: readonly object[] };

/** By block, which never changes: the surface in it. So the same state is the same object. */
const read = new WeakMap<StreamBlock, Surface>();
/** By the standing blocks of a reply: the surfaces in them, in order. */
const known = new WeakMap<ReplyState['standing'], readonly Surface[]>();

/** Returns the newest state of a surface in a conversation, as far as it is read. The last block counts. */
export function findSurface({ messages }: Transcript, surfaceId: string): Surface | undefined {
  for (let i = messages.length - 1; i >= 0; i--) {
    const standing = messages[i]?.reply.standing ?? [];
    const surfaces = listSurfaces(standing).filter(({ surface_id }) => surface_id === surfaceId);
    if (surfaces.length > 0) return surfaces.at(-1);
  }
  return undefined;
}

/** Reads a `canvas` block; undefined for one that is none of a surface. */
export function readSurface(block: StreamBlock): Surface | undefined {
  if (block.block_type !== 'canvas') return undefined;
  const surface = read.get(block) ?? parse(block.content);
  if (surface) read.set(block, surface);
  return surface;
}

function parse(content: string): Surface | undefined {
  try {
    const block = JSON.parse(content) as Partial<CanvasBlock>;
    const { surface_id, version, kind, messages = [] } = block;
    const isSurface =
      typeof surface_id === 'string' && Number.isInteger(version) && (kind === 'a2ui' || kind === 'html');
    return isSurface ? { ...(block as CanvasBlock), messages: messages as object[] } : undefined;
  } catch {
    return undefined;
  }
}

/** True while an action of the person on a surface is not stored by the gateway. */
export function isActing({ outbox }: Pick<Chat, 'outbox'>, { surface_id }: Surface): boolean {
  return outbox.messages.some(({ canvas }) => canvas?.surface_id === surface_id);
}

function listSurfaces(standing: ReplyState['standing']): readonly Surface[] {
  const before = known.get(standing);
  if (before) return before;
  const surfaces = standing.flatMap(({ block }) => readSurface(block) ?? []);
  known.set(standing, surfaces);
  return surfaces;
}
