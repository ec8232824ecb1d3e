import type { Attachment } from '../../client/index.js';
import { isPicture, MediaError, type MediaFailure, type MediaFiles } from '../model/media-files.js';

/** Maximum number of pictures in a message. */
export const MAX_PICTURES = 4;

/** A picture chosen for a message. */
export interface Picture {
  readonly file: Blob | undefined;
  readonly name: string;
  /** Undefined while the picture is being uploaded. */
  readonly attachment: Attachment | undefined;
}

/** Why a file was not added; `name` is the file's name. */
export interface PictureFault {
  readonly kind: MediaFailure | 'no-picture' | 'too-many';
  readonly name: string;
}

/** The pictures chosen for the next message, in the order in which they were chosen. */
export class PictureTray {
  pictures: readonly Picture[] = [];

  /** `onChange` is called whenever {@link pictures} has changed. */
  constructor(
    private readonly media: MediaFiles,
    private readonly onChange: () => void,
  ) {}

  get isUploading(): boolean {
    return this.pictures.some(({ attachment }) => !attachment);
  }

  get attachments(): Attachment[] {
    return this.pictures.flatMap(({ attachment }) => attachment ?? []);
  }

  /** Uploads files. Resolves with the faults of those that could not be added. */
  async add(files: readonly File[]): Promise<readonly PictureFault[]> {
    const faults: PictureFault[] = [];
    const uploads: Promise<void>[] = [];
    for (const file of files) {
      if (!isPicture(file)) faults.push({ kind: 'no-picture', name: file.name });
      else if (this.pictures.length >= MAX_PICTURES) faults.push({ kind: 'too-many', name: file.name });
      else uploads.push(this.#upload(file, faults));
    }
    await Promise.all(uploads);
    return faults;
  }

  /** Restores the pictures of a message that was not sent. */
  putBack(attachments: readonly Attachment[]): void {
    this.#change(attachments.map((attachment) => ({ file: undefined, name: attachment.name ?? '', attachment })));
  }

  remove(picture: Picture): void {
    this.#change(this.pictures.filter((each) => each !== picture));
  }

  clear(): void {
    this.#change([]);
  }

  async #upload(file: File, faults: PictureFault[]): Promise<void> {
    const { name } = file;
    const picture: Picture = { file, name, attachment: undefined };
    this.#change([...this.pictures, picture]);
    try {
      const attachment = await this.media.sendPicture(file);
      this.#change(this.pictures.map((each) => (each === picture ? { file, name, attachment } : each)));
    } catch (error) {
      // A picture that was removed meanwhile needs no report.
      if (this.pictures.includes(picture))
        faults.push({ kind: error instanceof MediaError ? error.failure : 'failed', name });
      this.remove(picture);
    }
  }

  #change(pictures: readonly Picture[]): void {
    this.pictures = pictures;
    this.onChange();
  }
}
