import type { Attachment } from '../client/index.js';
import { isPicture, MediaError, type MediaFailure, type MediaFiles } from './media-files.js';

/** So many pictures go with one message. */
export const MAX_PICTURES = 4;

/** A picture that is to go with a message. */
export interface Picture {
  readonly file: Blob | undefined;
  readonly name: string;
  /** What a message names it by; undefined while it is sent to the gateway. */
  readonly attachment: Attachment | undefined;
}

/** Why a file is not among the pictures. `name`: of the file. */
export interface PictureFault {
  readonly kind: MediaFailure | 'no-picture' | 'too-many';
  readonly name: string;
}

/** The pictures that wait for their message, in the order in which they were chosen. */
export class PictureTray {
  pictures: readonly Picture[] = [];

  /** `onChange` is called whenever {@link pictures} are others. */
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

  /** Sends files to the gateway; resolves with what is wrong with those that are not among the pictures then. */
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

  /** Puts pictures back whose message was not sent. */
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
      // One that was taken off meanwhile is nobody's business any more.
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
