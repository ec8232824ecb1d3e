import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Attachment } from '../../client/index.js';
import type { Conversation } from '../model/conversation.js';
import type { MediaFiles } from '../model/media-files.js';
import { texts } from '../texts.js';
import { FileTray, MAX_FILES, type FileFault, type TrayFile } from './file-tray.js';

/** The parts of the page that a {@link FileTaker} uses. */
export interface FileTakerPage {
  readonly media: MediaFiles;
  readonly isReadOnly: boolean;
  /** The conversation that the files are for; undefined while it is not known yet. */
  readonly conversation: Conversation | undefined;
  /** Reads and keeps the uploaded files of the draft of a conversation. */
  readFiles(conversation: Conversation): readonly Attachment[];
  saveFiles(conversation: Conversation, files: readonly Attachment[]): void;
  /** Shows a note; an empty one removes it. */
  report(notice: string): void;
}

/** Takes files that are dropped onto the page, pasted or chosen. Each conversation has its own. */
export class FileTaker implements ReactiveController {
  readonly #trays = new WeakMap<Conversation, FileTray>();

  constructor(
    private readonly host: ReactiveControllerHost & EventTarget,
    private readonly page: () => FileTakerPage,
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

  get files(): readonly TrayFile[] {
    return this.#tray?.files ?? [];
  }

  /** True while a file is not uploaded. */
  get isIncomplete(): boolean {
    return this.#tray?.isIncomplete ?? false;
  }

  get attachments(): Attachment[] {
    return this.#tray?.attachments ?? [];
  }

  /** The number of files of conversations that are not uploaded. They are lost with the page. */
  countIncomplete(conversations: readonly Conversation[]): number {
    const files = conversations.flatMap((conversation) => this.#trays.get(conversation)?.files ?? []);
    return files.filter(({ attachment }) => !attachment).length;
  }

  /** Uploads files for the next message of a conversation: the shown one, or the given one. */
  async take(files: readonly File[], conversation = this.page().conversation): Promise<void> {
    const { isReadOnly, report } = this.page();
    const tray = this.#trayOf(conversation);
    if (isReadOnly || !tray) return report(isReadOnly ? texts.composer.readOnly : texts.files.notYet);
    report('');
    const faults = await tray.add(files);
    if (faults.length > 0) report(describeFaults(faults));
  }

  async retry(file: TrayFile): Promise<void> {
    const faults = await this.#tray?.retry(file);
    if (faults && faults.length > 0) this.page().report(describeFaults(faults));
  }

  remove(file: TrayFile): void {
    this.#tray?.remove(file);
  }

  clear(): void {
    this.#tray?.clear();
  }

  putBack(attachments: readonly Attachment[]): void {
    this.#tray?.putBack(attachments);
  }

  get #tray(): FileTray | undefined {
    return this.#trayOf(this.page().conversation);
  }

  #trayOf(conversation: Conversation | undefined): FileTray | undefined {
    if (!conversation) return undefined;
    const known = this.#trays.get(conversation);
    if (known) return known;
    const { media, readFiles, saveFiles } = this.page();
    const tray: FileTray = new FileTray(readFiles(conversation), media, shrink, () => {
      saveFiles(conversation, tray.attachments);
      this.host.requestUpdate();
    });
    this.#trays.set(conversation, tray);
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

/** Makes a picture smaller. The code for it is loaded with the first picture. */
const shrink = async (file: File): Promise<File> => {
  if (!file.type.startsWith('image/')) return file;
  const { shrinkPicture } = await import('./shrink-picture.js');
  return shrinkPicture(file);
};

/** Describes each kind of fault once, with the names of its files. */
function describeFaults(faults: readonly FileFault[]): string {
  const kinds = [...new Set(faults.map(({ kind }) => kind))];
  const sentences = kinds.map((kind) => {
    const names = faults.filter((fault) => fault.kind === kind).map(({ name }) => `“${name}”`);
    return texts.files.faults[kind](names.join(', '), MAX_FILES);
  });
  return sentences.join(' ');
}
