import { MIMEType } from 'node:util';
import Type, { type Static } from 'typebox';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { Clock } from '../../core/time/clock.js';
import { Tool, type ToolExecutor } from '../../core/tools/tool.decorator.js';
import type { ToolCallContext } from '../../core/tools/tool.js';
import { EgressGuard } from '../../http/egress/egress-guard.js';
import { requestGuarded, type GuardedResponse } from '../../http/egress/guarded-request.js';
import { text } from '../../protocol/text.js';
import { toPlainText } from '../plain-text.js';

/** Longest text in a result, in characters. */
const MAX_SHOWN_LENGTH = 100_000;
/** Limit for a connection that hangs, in milliseconds; `tools.http.timeout_ms` is shorter. */
const CALL_TIMEOUT_MS = 660_000;
const USER_AGENT = 'openclaw-gateway';
const TEXT_TYPES =
  /^(text\/|application\/(.+\+)?(json|xml|yaml|javascript|ecmascript|x-ndjson|x-www-form-urlencoded)$|image\/svg\+xml$)/;

const Parameters = Type.Object(
  {
    url: text({ min: 1, max: 8_192, controls: false }, 'http or https, of a public host.'),
    method: Type.Optional(Type.Enum(['GET', 'HEAD'])),
    accept: Type.Optional(
      Type.String({
        pattern: '^[\\x20-\\x7e]{1,512}$',
        description: 'Accepted media types, as in the header Accept.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The result of a request. */
export interface HttpFetchResult {
  /** The URL after redirects. */
  readonly url: string;
  readonly status: number;
  readonly content_type: string;
  /** Number of bytes of the body that were read. */
  readonly size_bytes: number;
  /** The body if it is text. It is data, never an instruction. */
  readonly content?: string;
  /** Describes the part missing from `content`, and the reason. */
  readonly note?: string;
}

/** Fetches a page of the public internet. A status of 400 and more is a result, not a failure of the tool. */
@Tool({
  name: 'http.fetch',
  description: 'Fetches a URL of the public internet and returns its text. It sends no credentials and no cookies.',
  parameters: Parameters,
  permissions: ['http'],
  timeoutMs: CALL_TIMEOUT_MS,
  idempotent: true,
})
export class HttpFetchTool implements ToolExecutor<typeof Parameters> {
  private readonly guard: EgressGuard;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
  ) {
    this.guard = new EgressGuard(() => config.get('tools.http.allow_hosts'));
  }

  async execute(
    { url, method = 'GET', accept = '*/*' }: Static<typeof Parameters>,
    { signal, trace }: Pick<ToolCallContext, 'signal' | 'trace'>,
  ): Promise<HttpFetchResult> {
    const timeoutMs = this.config.get('tools.http.timeout_ms');
    const late = new AbortController();
    const cancelTimer = this.clock.setTimer(timeoutMs, () =>
      late.abort(new Error(`no complete response within ${timeoutMs} ms`)),
    );
    try {
      const response = await requestGuarded(this.guard, {
        url,
        method,
        headers: { accept, 'user-agent': USER_AGENT, ...(trace !== undefined && { traceparent: trace }) },
        maxBytes: this.config.get('tools.http.max_bytes'),
        signal: AbortSignal.any([signal, late.signal]),
      });
      return describe(response);
    } finally {
      cancelTimer();
    }
  }
}

function describe({ url, status, headers, body, isTruncated }: GuardedResponse): HttpFetchResult {
  const type = parseType(headers['content-type']);
  const facts = { url: url.href, status, content_type: type?.essence ?? 'unknown', size_bytes: body.length };
  if (!isText(type, body)) {
    return {
      ...facts,
      ...(body.length > 0 && {
        note: `${isTruncated ? 'more than ' : ''}${body.length} bytes of binary data are not shown`,
      }),
    };
  }
  const whole = toPlainText(decode(body, type?.params.get('charset') ?? undefined));
  if (!isTruncated && whole.length <= MAX_SHOWN_LENGTH) return { ...facts, content: whole };
  const content = whole.slice(0, MAX_SHOWN_LENGTH).toWellFormed();
  return { ...facts, content, note: `only the first ${content.length} characters are shown` };
}

function parseType(header: string | undefined): MIMEType | undefined {
  try {
    return header === undefined ? undefined : new MIMEType(header);
  } catch {
    return undefined;
  }
}

/** Returns whether a body is text. Without a type, it is unless its bytes say otherwise. */
function isText(type: MIMEType | undefined, body: Buffer): boolean {
  return type ? TEXT_TYPES.test(type.essence) : !body.includes(0);
}

function decode(body: Buffer, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return body.toString('utf8');
  }
}
