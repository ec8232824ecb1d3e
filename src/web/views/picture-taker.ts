import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Attachment } from '../../client/index.js';
import type { Conversation } from '../conversation.js';
import type { MediaFiles } from '../media-files.js';
import { MAX_PICTURES, PictureTray, type Picture, type PictureFault } from '../picture-tray.js';
import { texts } from '../texts.js';

/** What a {@link PictureTaker} needs to know of its page, and tells it. */
export interface PictureTakerPage {
  readonly media: MediaFiles;
  readonly isReadOnly: boolean;
  /** Where the pictures would be sent; undefined while nobody knows. */
  findConversation(): Conversation | undefined;
  tell(notice: string): void;
}

/** Takes the files that are dropped onto the page, pasted or chosen; each conversation has its own. */
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
    // Without this a dropped file would take the page's place.
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
    const { isReadOnly, tell } = this.page();
    const tray = this.#tray;
    if (isReadOnly || !tray) return tell(isReadOnly ? texts.composer.readOnly : texts.pictures.notYet);
    tell('');
    const faults = await tray.add(files);
    if (faults.length > 0) tell(describeFaults(faults));
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
    const { findConversation, media } = this.page();
    const conversation = findConversation();
    if (!conversation) return undefined;
    let tray = this.#trays.get(conversation);
    if (!tray) this.#trays.set(conversation, (tray = new PictureTray(media, () => this.host.requestUpdate())));
    return tray;
  }

  #takeFrom(event: Event, transfer: DataTransfer | null): void {
    if (!transfer || transfer.files.length === 0) return;
    // Office programs copy a picture of the text beside the text.
    if (event.type === 'paste' && transfer.getData('text/plain') !== '') return;
    event.preventDefault();
    void this.take([...transfer.files]);
  }
}

/** Each kind of fault once, with the names of the files that have it. */
function describeFaults(faults: readonly PictureFault[]): string {
  const kinds = [...new Set(faults.map(({ kind }) => kind))];
  const sentences = kinds.map((kind) => {
    const names = faults.filter((fault) => fault.kind === kind).map(({ name }) => `“${name}”`);
    return texts.pictures.faults[kind](names.join(', '), MAX_PICTURES);
  });
  return sentences.join(' ');
}
