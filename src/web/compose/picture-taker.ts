import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Attachment } from '../../client/index.js';
import type { Conversation } from '../model/conversation.js';
import type { MediaFiles } from '../model/media-files.js';
import { texts } from '../texts.js';
import { MAX_PICTURES, PictureTray, type Picture, type PictureFault } from './picture-tray.js';

/** The parts of the page that a {@link PictureTaker} uses. */
export interface PictureTakerPage {
  readonly media: MediaFiles;
  readonly isReadOnly: boolean;
  /** The conversation that the pictures are for; undefined while it is not known yet. */
  readonly conversation: Conversation | undefined;
  /** Shows a note; an empty one removes it. */
  report(notice: string): void;
}

/** Takes files that are dropped onto the page, pasted or chosen. Each conversation has its own pictures. */
export class PictureTaker implements ReactiveController {
  readonly #trays = new WeakMap<Conversation, PictureTray>();

  constructor(
    private readonly host: ReactiveControllerHost & EventTarget,
    private readonly page: () => PictureTakerPage,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    const { host } = this;
    // Otherwise the browser would open a dropped file instead of the page.
    host.addEventListener('dragover', (event) => event.preventDefault());
    host.addEventListener('drop', (event) => this.#takeFrom(event, (event as DragEvent).dataTransfer));
    host.addEventListener('paste', (event) => this.#takeFrom(event, (event as ClipboardEvent).clipboardData));
  }

  get pictures(): readonly Picture[] {
    return this.#tray?.pictures ?? [];
  }

  get isUploading(): boolean {
    return this.#tray?.isUploading ?? false;
  }

  get attachments(): Attachment[] {
    return this.#tray?.attachments ?? [];
  }

  async take(files: readonly File[]): Promise<void> {
    const { isReadOnly, report } = this.page();
    const tray = this.#tray;
    if (isReadOnly || !tray) return report(isReadOnly ? texts.composer.readOnly : texts.pictures.notYet);
    report('');
    const faults = await tray.add(files);
    if (faults.length > 0) report(describeFaults(faults));
  }

  remove(picture: Picture): void {
    this.#tray?.remove(picture);
  }

  clear(): void {
    this.#tray?.clear();
  }

  putBack(attachments: readonly Attachment[]): void {
    this.#tray?.putBack(attachments);
  }

  get #tray(): PictureTray | undefined {
    const { conversation, media } = this.page();
    if (!conversation) return undefined;
    let tray = this.#trays.get(conversation);
    if (!tray) this.#trays.set(conversation, (tray = new PictureTray(media, () => this.host.requestUpdate())));
    return tray;
  }

  #takeFrom(event: Event, transfer: DataTransfer | null): void {
    if (!transfer || transfer.files.length === 0) return;
    // Office programs copy text together with a picture of it.
    if (event.type === 'paste' && transfer.getData('text/plain') !== '') return;
    event.preventDefault();
    void this.take([...transfer.files]);
  }
}

/** Describes each kind of fault once, with the names of its files. */
function describeFaults(faults: readonly PictureFault[]): string {
  const kinds = [...new Set(faults.map(({ kind }) => kind))];
  const sentences = kinds.map((kind) => {
    const names = faults.filter((fault) => fault.kind === kind).map(({ name }) => `“${name}”`);
    return texts.pictures.faults[kind](names.join(', '), MAX_PICTURES);
  });
  return sentences.join(' ');
}
