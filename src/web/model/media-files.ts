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

/** Sends bytes, and reports how much of them is sent, from 0 to 1. Rejects when the gateway cannot be reached. */
export type Upload = (
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Blob,
  onProgress: (part: number) => void,
) => Promise<Response>;

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
  /** `readToken` returns undefined in open mode. `request` and `upload` default to those of the browser. */
  constructor(
    private readonly readToken: () => string | undefined,
    private readonly request: typeof fetch = (input, init) => fetch(input, init),
    private readonly upload: Upload = uploadByRequest,
  ) {}

  /** @throws MediaError, also when the file is not of the given kind */
  async read(mediaId: string, kind: 'image' | 'audio'): Promise<Blob> {
    const blob = await this.#ask(`media/${encodeURIComponent(mediaId)}`, {}, (response) => response.blob());
    if (kind === 'image' ? isPicture(blob) : blob.type.startsWith('audio/')) return blob;
    throw new MediaError('type');
  }

  /** Reads a file of any kind, to be saved. @throws MediaError */
  readAny(mediaId: string): Promise<Blob> {
    return this.#ask(`media/${encodeURIComponent(mediaId)}`, {}, (response) => response.blob());
  }

  /** Uploads a file. Returns the attachment for its message. @throws MediaError */
  async send(file: Blob, name: string, onProgress: (part: number) => void = () => {}): Promise<Attachment> {
    const body = file.slice(0, file.size, 'application/octet-stream');
    const answer = await this.#read(
      () => this.upload('media', this.#headers, body, onProgress),
      (response) => response.json() as Promise<Required<Pick<Attachment, 'media_id' | 'mime_type' | 'size_bytes'>>>,
    );
    const { media_id, mime_type, size_bytes } = answer;
    const shown = cleanName(name);
    return { kind: kindOf(mime_type), media_id, mime_type, size_bytes, ...(shown === '' ? {} : { name: shown }) };
  }

  get #headers(): Record<string, string> {
    const token = this.readToken();
    return token === undefined ? {} : { Authorization: `Bearer ${token}` };
  }

  #ask<T>(path: string, options: RequestInit, read: (response: Response) => Promise<T>): Promise<T> {
    const headers = this.#headers;
    // Without a token a cookie may be the credential.
    const credentials = this.readToken() === undefined ? 'same-origin' : 'omit';
    return this.#read(
      () => this.request(path, { ...options, headers, credentials, mode: 'same-origin', redirect: 'error' }),
      read,
    );
  }

  async #read<T>(ask: () => Promise<Response>, read: (response: Response) => Promise<T>): Promise<T> {
    let failure: MediaFailure = 'unreachable';
    try {
      const response = await ask();
      if (response.ok) return await read(response);
      failure = FAILURES[response.status] ?? 'failed';
    } catch {
      // The browser does not report the reason.
    }
    throw new MediaError(failure);
  }
}

/** Returns the kind of attachment of a media type. */
function kindOf(mimeType: string): Attachment['kind'] {
  if (isPicture({ type: mimeType })) return 'image';
  if (mimeType.startsWith('audio/')) return 'audio';
  return mimeType.startsWith('video/') ? 'video' : 'file';
}

/** Uploads with `XMLHttpRequest`, because `fetch` reports no progress. */
const uploadByRequest: Upload = (path, headers, body, onProgress) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total));
    request.addEventListener('load', () => {
      resolve(new Response(request.responseText, { status: request.status }));
    });
    for (const end of ['error', 'abort', 'timeout']) request.addEventListener(end, () => reject(new TypeError(end)));
    request.send(body);
  });

/** Returns a file name that the gateway accepts. */
function cleanName(name: string): string {
  return Array.from(replaceLoneSurrogates(name).replaceAll(/\p{Cc}/gu, ''))
    .slice(0, MAX_NAME_LENGTH)
    .join('');
}
