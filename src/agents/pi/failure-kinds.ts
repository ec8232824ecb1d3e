import { asFields, asList, parseJson } from './wire/fields.js';

/** Failures after which another model may answer the same prompt. */
const PASSED_ON = [
  'unreachable',
  'silent',
  'overloaded',
  'key refused',
  'no credit',
  'model not known',
  'not an API',
] as const;

/**
 * The causes of a failed request.
 *
 * - `unreachable`: no response, or one that broke off.
 * - `silent`: no byte in time, while another model could answer.
 * - `not an API`: a response of another protocol, such as a web page: the address is not that of the API.
 * - `too long`: the prompt exceeds the model's window.
 * - `declined`: the model or a filter refused the content.
 */
export const FAILURE_KINDS = [...PASSED_ON, 'too long', 'declined', 'bad request'] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

const passedOn: ReadonlySet<FailureKind> = new Set(PASSED_ON);

/** Returns whether the next model is asked after a failure of this kind. */
export function isPassedOn(kind: FailureKind): boolean {
  return passedOn.has(kind);
}

/** The facts about a failed request that decide its kind. */
export interface Evidence {
  /** The HTTP status; undefined without a response. */
  readonly status: number | undefined;
  /** The provider's codes for the error: `insufficient_quota`. */
  readonly codes: readonly string[];
  readonly message: string;
  /** True if the text says, in the form of some provider, that the prompt is too long. */
  readonly isOverflow: boolean;
}

const PAYMENT_REQUIRED = 402;
export const PAYLOAD_TOO_LARGE = 413;

const RATE_CODE = /rate.?limit|throttl/i;
/** Texts of rate limits: the same request may succeed later. Some of them advertise a larger account. */
const RATE_TEXT = /per.?(second|minute|min\b|hour|day)|rate.?limit|daily|retry in \d/i;
const CREDIT_CODE =
  /insufficient.?(quota|balance|credit|funds)|exceeded_current_quota|billing|arrearage|budget.?exceeded/i;
const CREDIT_TEXT =
  /insufficient.?(quota|balance|credit|funds)|billing|credit (balance|limit)|(all available|any|more|no|out of) credits|out of budget|budget has been exceeded|(usage|spending) limit|payment required|recharge|余额不足/i;
const CONTENT =
  /content.?(filter|policy|management policy)|data_inspection_failed|responsibleai|requires moderation|usage (policy|guidelines)/i;
const MODEL_CODE = /model_?not_?(found|available|supported)|unknown_model|invalid_model/i;
const MODEL_TEXT =
  /(?:requested |the )?\bmodel\b.{0,200}?\b(?:not found|(?:does )?not exist|is not (?:supported|available)|not a valid)|(?:invalid|unknown|unsupported|no such) model\b|not a valid model|(?:does not|doesn't) have access to (?:the )?model/i;
const KEY_CODE = /invalid_api_key|authentication|api_key_invalid|unauthori[sz]ed/i;
const KEY_TEXT = /(invalid|incorrect|expired|missing) api.?key|api key (not valid|is invalid|expired)/i;
const LOAD = /overload|rate.?limit|throttl|server_error|api_error|unavailable|capacity|too many requests/i;
/** Statuses of a refused prompt. The text of others does not say whether the model is known. */
const MODEL_STATUSES = new Set([400, 403, 422]);
/** Statuses of a refused key, an empty account and too many requests, whose texts can match those of an overflow. */
const NEVER_OVERFLOW = new Set([401, PAYMENT_REQUIRED, 403, 429]);

/** The input of the rules below. */
interface Facts extends Evidence {
  /** The HTTP status; 0 without a response. */
  readonly status: number;
  /** True if the text is about a limit over time, whatever else it advertises. */
  readonly isRate: boolean;
  /** Returns whether one of the codes matches. */
  readonly hasCode: (pattern: RegExp) => boolean;
}

/** The first rule that applies gives the kind. */
const RULES: readonly (readonly [FailureKind, (facts: Facts) => boolean])[] = [
  ['no credit', ({ status, hasCode }) => status === PAYMENT_REQUIRED || hasCode(CREDIT_CODE)],
  ['no credit', ({ isRate, message }) => !isRate && CREDIT_TEXT.test(message)],
  ['too long', ({ status, isOverflow }) => status === PAYLOAD_TOO_LARGE && isOverflow],
  ['too long', ({ status, isOverflow, isRate }) => isOverflow && !isRate && !NEVER_OVERFLOW.has(status)],
  ['declined', ({ status, hasCode, message }) => status < 500 && (hasCode(CONTENT) || CONTENT.test(message))],
  ['model not known', ({ status, hasCode }) => status === 404 || status === 410 || hasCode(MODEL_CODE)],
  ['model not known', ({ status, message }) => MODEL_STATUSES.has(status) && MODEL_TEXT.test(message)],
  ['key refused', ({ status }) => status === 401 || status === 403],
  ['key refused', ({ status, hasCode, message }) => status < 500 && (hasCode(KEY_CODE) || KEY_TEXT.test(message))],
  [
    'overloaded',
    ({ status, isRate }) => status === 408 || status === 429 || status >= 500 || (status >= 400 && isRate),
  ],
  ['bad request', ({ status }) => status >= 400],
  // The response began well, or there was none.
  ['overloaded', ({ hasCode, message }) => hasCode(LOAD) || LOAD.test(message)],
  ['bad request', ({ hasCode }) => hasCode(/^invalid_request_error$/)],
];

/**
 * Returns the kind of a failure. Providers use one status for several kinds and several for one kind (an empty account is
 * 400 at Anthropic, 429 at OpenAI, 402 at OpenRouter), so status, codes and text count together.
 */
export function classify(evidence: Evidence): FailureKind {
  const hasCode = (pattern: RegExp) => evidence.codes.some((code) => pattern.test(code));
  const isRate = hasCode(RATE_CODE) || RATE_TEXT.test(evidence.message);
  const facts = { ...evidence, status: evidence.status ?? 0, isRate, hasCode };
  return RULES.find(([, applies]) => applies(facts))?.[0] ?? 'unreachable';
}

/** Names of fields that have the provider's code for an error. */
const CODE_FIELDS = ['type', 'code', 'status', 'reason'] as const;

/**
 * Returns codes and text of an error as providers write it: `{"error": {"type", "code", "message"}}`, `{"error": "text"}`,
 * `{"message"}`, `{"detail": [{"msg"}]}`, or plain text. Other parts can repeat the prompt, so they do not count.
 */
export function readError(text: string): Pick<Evidence, 'codes' | 'message'> {
  const [whole] = asList(parseJson(text));
  const body = asFields(whole);
  if (!body) return { codes: [], message: text };
  const error = asFields(body['error']) ?? body;
  const codes = [error, body].flatMap((fields) =>
    CODE_FIELDS.flatMap((name) => {
      const value = fields[name];
      return typeof value === 'string' && value !== 'error' ? [value] : [];
    }),
  );
  const said = error['message'] ?? body['message'] ?? body['error'] ?? body['detail'];
  const lines = asList(said).map((one) => (typeof one === 'string' ? one : (asFields(one)?.['msg'] ?? '')));
  return { codes, message: lines.filter((line) => typeof line === 'string').join('\n') };
}
