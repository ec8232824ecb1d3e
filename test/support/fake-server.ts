import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { close, listen, urlOf } from './loopback.js';

/** The failure of a call. `Refusal` is a response of the platform. `drop`: the connection breaks before or after the effect. */
export type Failure<Refusal extends object> =
  | Refusal
  | { readonly drop: 'before' | 'after' }
  | { readonly delayMs: number };

/** The rest of the failure of a call after its delay. */
interface CallFate<Refusal> {
  /** True if the connection is broken: the call takes no effect. */
  readonly isLost: boolean;
  /** The response in place of the effect. */
  readonly refusal: Refusal | undefined;
  /** True if the connection is to break after the effect. */
  readonly losesResponse: boolean;
}

/** A made-up platform over HTTP, on a free port of the loopback, whose calls fail on demand. */
export abstract class FakeServer<Payload, Refusal extends object> {
  /** Decides for each call whether it fails. */
  chaos: (method: string, payload: Payload) => Failure<Refusal> | undefined = () => undefined;
  protected readonly server = createServer((request, response) => void this.serve(request, response));
  private readonly failures = new Map<string, Failure<Refusal>[]>();

  get url(): string {
    return urlOf(this.server);
  }

  async close(): Promise<void> {
    await close(this.server);
  }

  /** Makes the next calls of a method, or downloads of a `file`, fail, one each. */
  failNext(method: string, ...failures: readonly Failure<Refusal>[]): void {
    this.failures.set(method, [...(this.failures.get(method) ?? []), ...failures]);
  }

  protected abstract serve(request: IncomingMessage, response: ServerResponse): Promise<void>;

  protected async listen(): Promise<this> {
    await listen(this.server);
    return this;
  }

  /** Makes a call late or lost, as its failure says. A test may name its method in another way, too. */
  protected async fail(
    request: IncomingMessage,
    payload: Payload,
    method: string,
    otherName = method,
  ): Promise<CallFate<Refusal>> {
    const failure = this.takeFailure(method) ?? this.takeFailure(otherName) ?? this.chaos(method, payload);
    const fate = { isLost: false, refusal: undefined, losesResponse: false };
    if (!failure) return fate;
    if ('drop' in failure) {
      const isLost = failure.drop === 'before';
      if (isLost) request.socket.destroy();
      return { ...fate, isLost, losesResponse: !isLost };
    }
    if (!('delayMs' in failure)) return { ...fate, refusal: failure };
    await new Promise((resolve) => setTimeout(resolve, failure.delayMs));
    return fate;
  }

  /** Returns the next failure that a test has asked for. */
  protected takeFailure(method: string): Failure<Refusal> | undefined {
    return this.failures.get(method)?.shift();
  }
}

/** Parses a body that is JSON or a form; `readForm` makes the payload of a form. An empty body is an empty payload. */
export async function readPayload<Payload extends object>(
  type: string | undefined,
  body: Buffer,
  readForm: (form: FormData) => Promise<Payload>,
): Promise<Payload> {
  if (body.length === 0) return {} as Payload;
  if (type?.includes('json')) return JSON.parse(body.toString()) as Payload;
  // oxlint-disable-next-line typescript/no-deprecated -- the forms come from the gateway under test
  return readForm(await new Response(new Uint8Array(body), { headers: { 'content-type': type ?? '' } }).formData());
}
