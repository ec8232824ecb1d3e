import type { Attachment } from '../../client/index.js';
import { replaceLoneSurrogates } from './message-limits.js';

/** Why a file cannot be sent or shown. */
export type MediaFailure = 'too-large' | 'type' | 'signed-out' | 'forbidden' | 'missing' | 'unreachable' | 'failed';

const FAILURES: Readonly<Record<number, MediaFailure>> = {
  401: 'signed-out',
  403: 'forbidden',
  404: 'missing',
  413: 'too-large',
  415: 'type',
};

const MEDIA_PATH = /^\/media\/([\w-]+)$/;

/** Maximum length of a file name sent, in code points. */
const MAX_NAME_LENGTH = 100;

/** Thrown when a file could not be sent or read. */
export class MediaError extends Error {
  constructor(readonly failure: MediaFailure) {
    super(failure);
    this.name = 'MediaError';
  }
}

/** Returns the media id in a URL of this gateway; undefined for any other URL. */
export function readMediaId(address: string): string | undefined {
  return MEDIA_PATH.exec(address)?.[1];
}

/**
 * Returns true when a file is a picture that the page can show. SVG is excluded: opened on its own, it could run
 * scripts as the page.
 */
export function isPicture({ type }: Pick<Blob, 'type'>): boolean {
  return /^image\/(?!svg)/.test(type);
}

/** Reads and sends files of the page's own gateway. The token is sent in a header, only to that gateway. */
export class MediaFiles {
  /** `readToken` returns undefined in open mode. `request` defaults to the browser's `fetch`. */
  constructor(
    private readonly readToken: () => string | undefined,
    private readonly request: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  /** @throws MediaError, also when the file is not of the given kind */
  async read(mediaId: string, kind: 'image' | 'audio'): Promise<Blob> {
    const blob = await this.#ask(`/media/${encodeURIComponent(mediaId)}`, {}, (response) => response.blob());
    if (kind === 'image' ? isPicture(blob) : blob.type.startsWith('audio/')) return blob;
    throw new MediaError('type');
  }

  /** Uploads a picture. Returns the attachment for its message. @throws MediaError */
  async sendPicture(file: File): Promise<Attachment> {
    const options = { method: 'POST', body: file.slice(0, file.size, 'application/octet-stream') };
    const answer = await this.#ask(
      '/media',
      options,
      (response) => response.json() as Promise<Required<Pick<Attachment, 'media_id' | 'mime_type' | 'size_bytes'>>>,
    );
    const { media_id, mime_type, size_bytes } = answer;
    const name = cleanName(file.name);
    return { kind: 'image', media_id, mime_type, size_bytes, ...(name === '' ? {} : { name }) };
  }

  async #ask<T>(
    path: string,
    options: Pick<RequestInit, 'method' | 'body'>,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const token = this.readToken();
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    let failure: MediaFailure = 'unreachable';
    try {
      const response = await this.request(path, {
        ...options,
        headers,
        credentials: 'omit',
        mode: 'same-origin',
        redirect: 'error',
      });
      if (response.ok) return await read(response);
      failure = FAILURES[response.status] ?? 'failed';
    } catch {
      // The browser does not report the reason.
    }
    throw new MediaError(failure);
  }
}

/** Returns a file name that the gateway accepts. */
function cleanName(name: string): string {
  return Array.from(replaceLoneSurrogates(name).replaceAll(/\p{Cc}/gu, ''))
    .slice(0, MAX_NAME_LENGTH)
    .join('');
}
