import type { IncomingMessage } from 'node:http';
import type { CancelTimer, Clock } from '../../core/time/clock.js';
import { egressRequest, toResponse } from '../../http/egress/egress-fetch.js';
import { readBeginning } from '../../http/egress/read-beginning.js';
import { readRetryAfter } from './failures.js';
import { correctEvents, type EventCorrector } from './wire/sse.js';

/** Maximum length of the body of a refusal that is read, in bytes. */
const MAX_REFUSAL_BYTES = 65_536;

/** Media types of web pages: those of a proxy, a login, or a server at a path that it does not know. */
const PAGE_TYPE = /^\s*(text\/html|application\/xhtml)/i;
/** Maximum length of the beginning of a page that is read, in bytes. */
const MAX_PAGE_BYTES = 256;

/** One request: it ends with its turn, after a time without events, or if no byte arrives in time. */
export class Attempt {
  /** True if no byte arrived within the time for the first one. */
  isSilent = false;
  private readonly controller = new AbortController();
  private readonly onStop = () => this.controller.abort();
  private cancelTimer: CancelTimer;
  private readonly cancelFirstByteTimer: CancelTimer;

  /** @param firstByteMs time for the first byte of the body; undefined for any time */
  constructor(
    private readonly stop: AbortSignal,
    private readonly clock: Clock,
    private readonly idleMs: number,
    firstByteMs: number | undefined,
  ) {
    if (stop.aborted) this.controller.abort();
    stop.addEventListener('abort', this.onStop);
    this.cancelTimer = clock.setTimer(idleMs, this.onStop);
    this.cancelFirstByteTimer = firstByteMs === undefined ? () => {} : clock.setTimer(firstByteMs, () => this.giveUp());
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  noteBytes(): void {
    this.cancelFirstByteTimer();
  }

  noteLife(): void {
    this.cancelTimer();
    this.cancelTimer = this.clock.setTimer(this.idleMs, this.onStop);
  }

  end(): void {
    this.cancelTimer();
    this.cancelFirstByteTimer();
    this.stop.removeEventListener('abort', this.onStop);
  }

  private giveUp(): void {
    this.isSilent = true;
    this.controller.abort();
  }
}

/** The HTTP response to one request: status, `Retry-After` and a refusal, which the SDKs hide, and the corrected events. */
export class SeenResponse {
  status: number | undefined;
  retryAfterMs: number | undefined;
  /** The body of a response that is not a success. */
  refusal = '';
  /** The type and the beginning of a web page that came instead of an answer. */
  page: string | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly corrector: EventCorrector,
    private readonly onBytes: () => void,
  ) {}

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    // A redirect would carry the key to an origin that it was not made for.
    const incoming = await egressRequest(input, { ...init, redirect: 'error' });
    const { statusCode: status = 0, headers } = incoming;
    this.status = status;
    const type = headers['content-type'] ?? '';
    const isSuccess = status >= 200 && status < 300;
    const isAnswer = isSuccess && !PAGE_TYPE.test(type);
    const response = isAnswer ? this.correct(incoming, type) : toResponse(incoming);
    this.retryAfterMs = readRetryAfter(response.headers, this.clock.now());
    if (isAnswer) return response;
    this.onBytes();
    if (isSuccess) {
      this.page = `${type}: ${(await readBeginning(response, MAX_PAGE_BYTES)).toString('utf8')}`;
      throw new Error('the response is a web page');
    }
    if (!response.body) return response;
    this.refusal = (await readBeginning(response, MAX_REFUSAL_BYTES)).toString('utf8');
    return new Response(this.refusal, { status, headers: response.headers });
  };

  private correct(incoming: IncomingMessage, type: string): Response {
    const response = toResponse(incoming, (body) => correctEvents(body, type, this.corrector, this.onBytes));
    response.headers.set('content-type', 'text/event-stream');
    return response;
  }
}
