import type { CanvasBlock, StreamBlock } from '../../protocol/domain.js';
import type { CanvasSurface } from '../store/index.js';

/** Returns the content of the `canvas` block that shows a state of a surface. */
export function toBlockContent(surface: CanvasSurface): string {
  const { surfaceId, version, since, kind, title, content, mediaId, isClosed } = surface;
  const block: CanvasBlock = {
    surface_id: surfaceId,
    version,
    since,
    kind,
    ...(title !== undefined && { title }),
    ...(mediaId !== undefined && { media_id: mediaId }),
    ...(content !== undefined && { [kind === 'a2ui' ? 'messages' : 'app']: JSON.parse(content) as unknown }),
    ...(isClosed && { closed: true }),
  };
  return JSON.stringify(block);
}

/**
 * Returns a block without what it showed if it is one of `states`, which are `SURFACE_ID VERSION`, and the block itself
 * otherwise.
 */
export function clearOutdated(block: StreamBlock, states: ReadonlySet<string>): StreamBlock {
  if (block.block_type !== 'canvas') return block;
  const { messages: _messages, media_id: _page, app: _app, ...rest } = JSON.parse(block.content) as CanvasBlock;
  if (!states.has(`${rest.surface_id} ${rest.version}`)) return block;
  return { ...block, content: JSON.stringify({ ...rest, outdated: true }) };
}
