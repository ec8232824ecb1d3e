import type { WebComponentImplementation } from '@a2ui/web_core/v0_9';
import {
  A2uiAudioPlayer,
  A2uiAudioPlayerElement,
  A2uiImage,
  A2uiImageElement,
  A2uiVideo,
  A2uiVideoElement,
} from '@a2ui/web_core/v0_9/basic_catalog';
import { css, html, nothing, type TemplateResult } from 'lit';
import { readMediaId, type MediaFiles } from '../../model/media-files.js';
import { texts } from '../../texts.js';

/** The element around a surface, which has the files of the conversation. */
interface View extends Element {
  readonly chat?: { readonly media: MediaFiles };
}

/** A picture of the conversation. One of another server is not loaded. */
class CanvasImage extends A2uiImageElement {
  static override readonly styles = [
    A2uiImageElement.styles,
    css`
      .a2ui-image img {
        display: block;
        max-width: 100%;
        height: auto;
      }
    `,
  ] as never;

  override render(): TemplateResult<1> | typeof nothing {
    const { url, description, variant = 'default' } = this.controller.props ?? {};
    return renderMedia(this, 'image', url, description, `a2ui-image ${variant}`);
  }
}

class CanvasAudio extends A2uiAudioPlayerElement {
  override render(): TemplateResult<1> | typeof nothing {
    const { url, description } = this.controller.props ?? {};
    return renderMedia(this, 'audio', url, description, 'a2ui-audio');
  }
}

class CanvasVideo extends A2uiVideoElement {
  override render(): TemplateResult<1> {
    return html`<p>${texts.canvas.noVideo}</p>`;
  }
}

customElements.define('canvas-image', CanvasImage);
customElements.define('canvas-audio', CanvasAudio);
customElements.define('canvas-video', CanvasVideo);

/** The components that show files, as parts of a catalogue. */
export const media: readonly WebComponentImplementation[] = [
  { ...A2uiImage, tagName: 'canvas-image' },
  { ...A2uiAudioPlayer, tagName: 'canvas-audio' },
  { ...A2uiVideo, tagName: 'canvas-video' },
];

function renderMedia(
  element: Element,
  kind: 'image' | 'audio',
  url: unknown,
  description: unknown,
  look: string,
): TemplateResult<1> | typeof nothing {
  if (typeof url !== 'string') return nothing;
  const label = typeof description === 'string' ? description : texts.block[kind === 'image' ? 'picture' : 'sound'];
  const mediaId = readMediaId(url.startsWith('/') ? url : `/${url}`);
  const root = element.getRootNode();
  const view: View | null = root instanceof ShadowRoot ? root.host.closest('canvas-a2ui') : null;
  if (mediaId === undefined || !view?.chat) return html`<span>${texts.block.noMedia(label)}</span>`;
  return html`<chat-media
    class=${look}
    .files=${view.chat.media}
    .source=${mediaId}
    kind=${kind}
    label=${label}
  ></chat-media>`;
}
