import { DeliveryError } from '../../core/channels/driver.js';

/** The reason why a call has failed. */
export type Verdict = {
  /** The platform's code of the error, else the status. */
  readonly code: string | number;
  /** The platform's words, without secrets. */
  readonly words?: string;
} & (
  | {
      /**
       * `credential`: the token is not taken. `account`: the whole account is not served. `unknown`: the platform does not say
       * whether it has carried the call out. `refused`: it never will.
       */
      readonly kind: 'credential' | 'account' | 'unknown' | 'refused';
      readonly details?: unknown;
    }
  | {
      /** The platform takes it later. */
      readonly kind: 'limit';
      readonly waitMs: number;
      /** The calls that wait until then: those of this name, or all. By default only the chat waits. */
      readonly holds?: 'call' | 'all' | undefined;
    }
);

/** A platform has refused a call. */
export class RefusedCallError extends DeliveryError {
  /**
   * @param code of the platform, else the status
   * @param words of the platform
   * @param details as in {@link Verdict}
   */
  constructor(
    readonly code: string | number,
    message: string,
    readonly words = message,
    readonly details?: unknown,
  ) {
    super('refused', message);
  }
}

/** A platform takes a call later. */
export class LimitedCallError extends DeliveryError {
  /** @param code of the platform, else the status */
  constructor(
    readonly code: string | number,
    message: string,
    waitMs: number,
    isAccountWide = false,
  ) {
    super('not_sent', message, waitMs, { isAccountWide });
  }
}

/** Codes of refusals. */
export type Codes = ReadonlySet<string | number>;

/** Returns whether a call was refused with one of these codes. */
export function isRefused(error: unknown, codes: Codes): error is RefusedCallError {
  return error instanceof RefusedCallError && codes.has(error.code);
}

/**
 * Makes a call that may be refused, and resolves with `otherwise` if it is.
 * @param codes of the refusals that are meant; all by default
 */
export async function unlessRefused<T, D>(call: Promise<T>, otherwise: D, codes?: Codes): Promise<T | D> {
  return call.catch((error: unknown) => {
    if (!(error instanceof RefusedCallError) || codes?.has(error.code) === false) throw error;
    return otherwise;
  });
}

/** Makes a call whose effect people do not see: if it fails, nothing was sent, even if the response was lost. */
export async function beforeEffect<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    if (!(error instanceof DeliveryError) || error.outcome !== 'unknown') throw error;
    throw new DeliveryError('not_sent', error.message, undefined, { cause: error });
  });
}

/** Returns the ID that a response gives to a message. @throws DeliveryError `unknown` when it gives none: nothing is confirmed */
export function toRef(id: unknown): string {
  if (typeof id === 'string' && id !== '') return id;
  throw new DeliveryError('unknown', 'the response names no message');
}

/** Makes a call for a file that people have sent: why it is refused is read by them, in the words of the platform alone. */
export async function inWords<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw error instanceof RefusedCallError ? new DeliveryError('refused', error.words) : error;
  });
}
