import { SilentLogs } from '../../core/telemetry/logs.js';
import { SystemClock, type Clock } from '../../core/time/clock.js';
import { explain } from '../pi/failures.js';
import { ModelRequest } from '../pi/model-request.js';
import { loadModel } from '../pi/pi-models.js';
import type { Provider } from '../pi/providers.js';

/** The result of a trial: the text of the answer, or the reason for none. */
export type ModelTrial =
  | { readonly ok: true; readonly firstTokenMs: number; readonly text: string }
  | {
      readonly ok: false;
      /** In plain words. */
      readonly reason: string;
      /** The HTTP status; undefined without a response. */
      readonly status: number | undefined;
      /** The provider's own text, without keys. */
      readonly detail: string;
    };

export const TRIAL_QUESTION = 'Say hello in one short sentence.';
const SYSTEM_PROMPT = 'You are a helpful assistant. Answer briefly.';
/** A large local model may have to be loaded first. */
const MAX_TRIAL_MS = 120_000;
const MAX_TEXT_LENGTH = 4_000;

/**
 * Asks the model `name` (`provider/model`) one question and measures the time to its first token.
 * @param signal ends the request
 */
export async function tryModel(
  name: string,
  provider: Provider,
  signal = AbortSignal.timeout(MAX_TRIAL_MS),
  clock: Clock = new SystemClock(),
): Promise<ModelTrial> {
  const target = await loadModel(name, { ...provider, max_retries: 0 });
  const startedAt = clock.elapsed();
  let firstAt: number | undefined;
  const context = {
    systemPrompt: SYSTEM_PROMPT,
    messages: [{ role: 'user' as const, content: TRIAL_QUESTION, timestamp: 0 }],
  };
  const request = new ModelRequest(target, clock, new SilentLogs().for(), undefined);
  const events = request.ask({ context, sessionId: 'trial', signal, hasNext: false });
  let next = await events.next();
  for (; !next.done; next = await events.next()) if (next.value.type === 'text') firstAt ??= clock.elapsed();
  const outcome = next.value;
  if (outcome.kind === 'aborted')
    return { ok: false, reason: 'the model did not answer in time', status: undefined, detail: '' };
  if (outcome.kind === 'failed') {
    const { status, detail } = outcome.failure;
    return { ok: false, reason: explain(outcome.failure), status, detail };
  }
  const text = outcome.answer.message.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
  const firstTokenMs = Math.round((firstAt ?? clock.elapsed()) - startedAt);
  if (text === '') return { ok: false, reason: 'the model gave no answer', status: 200, detail: '' };
  return { ok: true, firstTokenMs, text: text.slice(0, MAX_TEXT_LENGTH) };
}
