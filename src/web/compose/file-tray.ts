import type { Attachment } from '../../client/index.js';
import { MediaError, type MediaFailure, type MediaFiles } from '../model/media-files.js';

/** Maximum number of files in a message. */
export const MAX_FILES = 10;

/** Failures that may pass: the file stays, and its upload can be tried again. */
const PASSING: readonly MediaFailure[] = ['unreachable', 'failed'];

/** A file chosen for a message. */
export interface TrayFile {
  /** Undefined for a file of a message that was put back. */
  readonly file: Blob | undefined;
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** The uploaded share of it, from 0 to 1. */
  readonly progress: number;
  /** Undefined while the file is not uploaded. */
  readonly attachment: Attachment | undefined;
  /** Why the last attempt failed. */
  readonly failure: MediaFailure | undefined;
}

/** Why a file was not added; `name` is the file's name. */
export interface FileFault {
  readonly kind: MediaFailure | 'too-many' | 'empty';
  readonly name: string;
}

/** Makes a file small enough to be sent. */
export type Shrink = (file: File) => Promise<File>;

/** The files chosen for the next message, in the order in which they were chosen. */
export class FileTray {
  files: readonly TrayFile[];

  /** Begins with uploaded files. `onChange` is called whenever {@link files} has changed. */
  constructor(
    uploaded: readonly Attachment[],
    private readonly media: MediaFiles,
    private readonly shrink: Shrink,
    private readonly onChange: () => void,
  ) {
    this.files = uploaded.map(asUploaded);
  }

  /** True while a file is not uploaded. */
  get isIncomplete(): boolean {
    return this.files.some(({ attachment }) => !attachment);
  }

  get attachments(): Attachment[] {
    return this.files.flatMap(({ attachment }) => attachment ?? []);
  }

  /** Uploads files. Resolves with the faults of those that could not be added. */
  async add(files: readonly File[]): Promise<readonly FileFault[]> {
    const faults: FileFault[] = [];
    const uploads: Promise<void>[] = [];
    for (const file of files) {
      const { name, size } = file;
      if (this.files.length >= MAX_FILES) {
        faults.push({ kind: 'too-many', name });
        continue;
      }
      if (size === 0) {
        faults.push({ kind: 'empty', name });
        continue;
      }
      const entry = { file, name, size, progress: 0, attachment: undefined, failure: undefined };
      this.#change([...this.files, entry]);
      uploads.push(this.#upload(entry, file, faults));
    }
    await Promise.all(uploads);
    return faults;
  }

  /** Tries a failed upload again. Resolves with the faults, as {@link add} does. */
  async retry(entry: TrayFile): Promise<readonly FileFault[]> {
    const faults: FileFault[] = [];
    const { file, name } = entry;
    if (file) await this.#upload(entry, file instanceof File ? file : new File([file], name), faults);
    return faults;
  }

  /** Restores the files of a message that was not sent. */
  putBack(attachments: readonly Attachment[]): void {
    this.#change(attachments.map(asUploaded));
  }

  remove(entry: TrayFile): void {
    this.#change(this.files.filter((each) => each !== entry));
  }

  clear(): void {
    this.#change([]);
  }

  async #upload(begun: TrayFile, file: File, faults: FileFault[]): Promise<void> {
    let entry = begun;
    const update = (changes: Partial<TrayFile>) => {
      const changed = { ...entry, ...changes };
      this.#change(this.files.map((each) => (each === entry ? changed : each)));
      entry = changed;
    };
    update({ failure: undefined, progress: 0 });
    try {
      const small = await this.shrink(file);
      update({ size: small.size });
      update({ attachment: await this.media.send(small, small.name, (progress) => update({ progress })), progress: 1 });
    } catch (error) {
      // A file that was removed meanwhile needs no report.
      if (!this.files.includes(entry)) return;
      const failure = error instanceof MediaError ? error.failure : 'failed';
      if (PASSING.includes(failure)) return update({ failure });
      faults.push({ kind: failure, name: entry.name });
      this.remove(entry);
    }
  }

  #change(files: readonly TrayFile[]): void {
    this.files = files;
    this.onChange();
  }
}

function asUploaded(attachment: Attachment): TrayFile {
  const { name = '', size_bytes: size = 0 } = attachment;
  return { file: undefined, name, size, progress: 1, attachment, failure: undefined };
}
