import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../design/icons.js';
import { cleanFileName } from '../file-name.js';
import type { MediaFiles } from '../model/media-files.js';
import { formatBytes } from '../sizes.js';
import { texts } from '../texts.js';
import type { TrayFile } from './file-tray.js';

/** The commands of the buttons of a file. */
export interface TrayActions {
  retry(file: TrayFile): void;
  remove(file: TrayFile): void;
}

/** Renders the files of the next message with the state of their uploads: pictures as such, others as chips. */
export function renderTray(
  tray: readonly TrayFile[],
  files: MediaFiles,
  actions: TrayActions,
): TemplateResult | typeof nothing {
  if (tray.length === 0) return nothing;
  return html`<ul class="pictures" aria-label=${texts.files.label}>
    ${tray.map((entry) => renderFile(entry, files, actions))}
  </ul>`;
}

function renderFile(entry: TrayFile, files: MediaFiles, actions: TrayActions): TemplateResult {
  const { attachment, failure, file } = entry;
  const name = cleanFileName(entry.name);
  const label = texts.files.remove(name);
  const isPicture = (attachment?.kind ?? file?.type.split('/', 1)[0]) === 'image';
  const source = file ?? attachment?.media_id ?? '';
  return html`<li aria-busy=${attachment || failure ? 'false' : 'true'} class=${isPicture ? '' : 'chip'}>
    ${isPicture ? html`<chat-media .files=${files} .source=${source} label=${name}></chat-media>` : icons.file}
    <span class="file-name" dir="auto" title=${name}>${name}</span>
    ${renderUpload(entry, actions)}
    <button type="button" class="icon-button" aria-label=${label} title=${label} @click=${() => actions.remove(entry)}>
      ${icons.close}
    </button>
  </li>`;
}

function renderUpload(entry: TrayFile, actions: TrayActions): TemplateResult {
  const { attachment, failure, progress, size, name } = entry;
  if (attachment) return html`<span class="faint" role="status" dir="auto">${formatBytes(size)}</span>`;
  if (failure === undefined) {
    return html`<span class="faint" role="status">${texts.files.uploading}</span>
      <progress max="1" value=${progress} aria-label=${name}></progress>`;
  }
  return html`<span class="state bad" role="status">${icons.failed}${texts.files.interrupted}</span>
    <button type="button" class="quiet" @click=${() => actions.retry(entry)}>
      ${icons.retry}${texts.media.tryAgain}
    </button>`;
}
