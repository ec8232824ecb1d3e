import type { CanvasBlock } from '../../protocol/domain.js';
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
