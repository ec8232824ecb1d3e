import type { TailscaleEntry } from '../core/store/index.js';
import { SystemClock } from '../core/time/clock.js';
import { readPort } from './serve-status.js';
import { describeAddress, TailscaleClient } from './tailscale-client.js';
import type { TailscaleProgram } from './tailscale-program.js';

const REQUEST_TIMEOUT_MS = 10_000;

/** A result of the examination, in words for the operator. It never prevents a start. */
interface Says {
  readonly state: 'ok' | 'note';
  readonly says: string;
}

/**
 * Examines whether people reach the gateway through Tailscale, by asking as they do: that Tailscale reports an entry does not
 * prove that its certificate is there.
 */
export async function examineTailscale(
  program: TailscaleProgram,
  { port, mode }: Pick<TailscaleEntry, 'port' | 'mode'>,
  request: typeof fetch = fetch,
): Promise<Says> {
  try {
    const client = new TailscaleClient(program, new SystemClock());
    const host = await client.findHost(AbortSignal.abort());
    const status = await client.readServe();
    const held = Object.values(status.Foreground ?? {}).map((session) => readPort(session, host, port));
    const root = [readPort(status, host, port), ...held].find(({ mounts }) => mounts.has('/'))?.mounts.get('/');
    const url = describeAddress(host, port);
    if (root === undefined) return { state: 'ok', says: `${url} is free for ${mode}; a gateway that runs sets it` };
    const answer = await ask(`${url}/health/live`, request);
    if (answer === undefined) return { state: 'ok', says: `${url} leads to ${root}, and a gateway answers there` };
    return { state: 'note', says: `${url} leads to ${root}, but no gateway answers there: ${answer}` };
  } catch (error) {
    return { state: 'note', says: error instanceof Error ? error.message : String(error) };
  }
}

/** Resolves with why a gateway does not answer at a URL; undefined if it does. */
async function ask(url: string, request: typeof fetch): Promise<string | undefined> {
  try {
    const response = await request(url, { redirect: 'error', signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    const body: unknown = await response.json().catch(() => undefined);
    const isGateway = typeof body === 'object' && body !== null && 'details' in body;
    return isGateway ? undefined : `HTTP ${response.status}`;
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: { code?: string } };
    if (name === 'TimeoutError')
      return `nothing within ${REQUEST_TIMEOUT_MS / 1_000} s; the first certificate takes a while`;
    return cause?.code ?? message;
  }
}
