import { openInline } from '../core/channels/channel-files.js';
import { toNetworkError } from '../core/channels/kit/network-error.js';
import type { KeptFile, OpenFile } from '../core/channels/driver.js';
import { UploadRefusedError } from '../core/media/media.service.js';
import { GatewayError } from '../protocol/index.js';

/** Time limit of a transfer, in milliseconds. */
const TRANSFER_TIMEOUT_MS = 60_000;

/** The files of messages and of replies, over the HTTP API of a gateway. */
export class HttpFiles {
  private readonly origin: string;

  /** @param url of the WebSocket */
  constructor(
    url: string,
    private readonly token: string | undefined,
  ) {
    this.origin = url.replace(/^ws/, 'http').replace(/\/$/, '');
  }

  /** See `ChannelLink.keepFile`. */
  async keep(body: AsyncIterable<Uint8Array>): Promise<KeptFile> {
    const watched = new WatchedBody(body);
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await this.request('/media', { method: 'POST', headers, body: watched, duplex: 'half' }).catch(
      (error: unknown) => {
        throw watched.failure ?? error;
      },
    );
    const result = (await response.json().catch(() => ({}))) as Partial<Uploaded & Problem>;
    if (response.status === 413) throw new UploadRefusedError('too-large', result.detail ?? 'it is too large');
    if (response.status === 415)
      throw new UploadRefusedError('type-not-allowed', result.detail ?? 'its type is refused');
    if (!response.ok) throw toError(response, result);
    const { media_id = '', mime_type = '', size_bytes = 0 } = result;
    return { mediaId: media_id, mimeType: mime_type, sizeBytes: size_bytes };
  }

  /** See `ChannelLink.openFile`. */
  async open(source: string): Promise<OpenFile> {
    const inline = openInline(source);
    if (inline) return inline;
    const path = /\/media\/f_[0-9a-f-]{36}$/.exec(source)?.[0];
    if (path === undefined) throw new GatewayError('NOT_FOUND', { what: 'a file of this gateway' });
    const response = await this.request(path);
    if (!response.ok || !response.body) throw toError(response, {});
    const { headers, body } = response;
    const [mimeType = ''] = (headers.get('content-type') ?? '').split(';');
    return { mimeType, sizeBytes: Number(headers.get('content-length') ?? 0), body };
  }

  private async request(path: string, init: StreamingInit = {}): Promise<Response> {
    const authorization = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
    try {
      return await fetch(this.origin + path, {
        ...(init as RequestInit),
        headers: { ...init.headers, ...authorization },
        signal: AbortSignal.timeout(TRANSFER_TIMEOUT_MS),
      });
    } catch (error) {
      throw toNetworkError(error, 'the gateway');
    }
  }
}

interface StreamingInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array>;
  readonly duplex?: 'half';
}

interface Uploaded {
  readonly media_id: string;
  readonly mime_type: string;
  readonly size_bytes: number;
}

/** The body of a refused request. */
interface Problem {
  readonly detail: string;
  readonly code: string;
  readonly retryable: boolean;
  readonly details: object;
}

/** A body that keeps the error that it throws: `fetch` does not pass it on. */
class WatchedBody implements AsyncIterable<Uint8Array> {
  failure: unknown;

  constructor(private readonly body: AsyncIterable<Uint8Array>) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      yield* this.body;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}

function toError(
  { status }: Response,
  { code, detail = '', retryable = false, details }: Partial<Problem>,
): GatewayError {
  if (code !== undefined)
    return GatewayError.fromPayload({ code, message: detail, retryable, ...(details && { details }) });
  if (status === 404) return new GatewayError('NOT_FOUND', { what: 'the file' });
  return new GatewayError('STORE_UNAVAILABLE', {}, { cause: new Error(`HTTP ${status} ${detail}`) });
}
