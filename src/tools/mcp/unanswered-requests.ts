import type { FetchLike, Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ErrorCode, isJSONRPCErrorResponse, isJSONRPCResultResponse } from '@modelcontextprotocol/sdk/types.js';

type RequestId = string | number;

/** A notification that is appended to an event stream. It reaches the transport after all messages of the stream. */
const STREAM_END = 'notifications/openclaw/stream_end';

/** The beginning of the SDK's error when it stops to resume a stream. */
const GAVE_UP = 'Maximum reconnection attempts';

const METHOD_NOT_ALLOWED = 405;

/** The end of an event stream. */
interface StreamEnd {
  readonly id: RequestId;
  readonly reason: string;
  /** True if the server numbered its events, so the SDK requests the rest of the stream. */
  readonly isResumable: boolean;
}

/**
 * Fails a request over HTTP as soon as its event stream has ended without its response. The SDK waits for such a response
 * until the time limit of the request.
 */
export class UnansweredRequests {
  private readonly pending = new Set<RequestId>();
  /** Those of {@link pending} whose stream the SDK resumes. */
  private readonly resuming = new Map<RequestId, string>();
  private transport: Transport | undefined;

  /** Observes a transport that uses {@link watch}. Call it before a client takes the transport over. */
  attach(transport: Transport): void {
    this.transport = transport;
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's transports are not event targets
    transport.onerror = ({ message }) => {
      if (message.startsWith(GAVE_UP)) this.giveUp();
    };
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's transports are not event targets
    transport.onmessage = (message) => {
      if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) this.settle(message.id);
      else if ('method' in message && message.method === STREAM_END) this.end(message.params as unknown as StreamEnd);
    };
  }

  /** Returns `send` with a mark at the end of each event stream that responds to a request. */
  watch(send: FetchLike): FetchLike {
    return async (url, init) => {
      const response = await send(url, init);
      // The SDK takes it as a server that sends nothing by itself.
      if (response.status === METHOD_NOT_ALLOWED) this.giveUp();
      const id = readRequestId(init);
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
      if (id === undefined || !isStream || !response.body) return response;
      this.pending.add(id);
      const { status, statusText, headers } = response;
      return new Response(ReadableStream.from(this.markEnd(response.body, id)), { status, statusText, headers });
    };
  }

  private async *markEnd(body: ReadableStream<Uint8Array>, id: RequestId): AsyncGenerator<Uint8Array> {
    let recent = '\n';
    let end: StreamEnd = { id, reason: 'the server ended its response without a result', isResumable: false };
    let isMarked = false;
    try {
      try {
        for await (const chunk of body) {
          recent = recent.slice(-3) + Buffer.from(chunk).toString('latin1');
          if (/[\r\n]id:/.test(recent)) end = { ...end, isResumable: true };
          yield chunk;
        }
      } catch (error) {
        end = { ...end, reason: `the response broke off: ${(error as Error).message}` };
      }
      isMarked = true;
      yield Buffer.from(`\n\ndata: ${JSON.stringify({ jsonrpc: '2.0', method: STREAM_END, params: end })}\n\n`);
    } finally {
      // The reader has cancelled the stream.
      if (!isMarked) this.settle(id);
    }
  }

  private end({ id, reason, isResumable }: StreamEnd): void {
    if (!this.pending.has(id)) return;
    if (isResumable) this.resuming.set(id, reason);
    else this.fail(id, reason);
  }

  private fail(id: RequestId, message: string): void {
    this.settle(id);
    this.transport?.onmessage?.({ jsonrpc: '2.0', id, error: { code: ErrorCode.ConnectionClosed, message } });
  }

  private giveUp(): void {
    for (const [id, reason] of this.resuming) this.fail(id, reason);
  }

  private settle(id: RequestId | undefined): void {
    if (id === undefined) return;
    this.pending.delete(id);
    this.resuming.delete(id);
  }
}

/** Returns the id of the JSON-RPC request in a body; undefined for notifications and responses. */
function readRequestId(init: RequestInit | undefined): RequestId | undefined {
  if (init?.method !== 'POST' || typeof init.body !== 'string') return undefined;
  const { method, id } = JSON.parse(init.body) as { method?: string; id?: RequestId };
  return method === undefined ? undefined : id;
}
