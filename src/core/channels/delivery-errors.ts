/**
 * The reason why a driver does not run. `bad_credential`: the platform refuses the credential. `unreachable`: the platform cannot be
 * reached. `misconfigured`: a setting here or on the platform's side is wrong. `conflict`: another program reads the same
 * account.
 */
export type DriverFault = 'bad_credential' | 'unreachable' | 'misconfigured' | 'conflict';

/** Ends the run of a driver. It is tried again later. */
export class DriverError extends Error {
  override readonly name = 'DriverError';

  /** @param message for the operator, without secrets */
  constructor(
    readonly fault: DriverFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The outcome of a call that has failed. `not_sent`: the platform has not carried it out and may later, as after a refused
 * connection or a 429. `refused`: it never will. `unknown`: the response was lost.
 */
export type FailedDelivery = 'not_sent' | 'refused' | 'unknown';

/**
 * Thrown by the calls of a driver. Errors are classed by code, never by their text. Any other error counts as `unknown`,
 * except that a {@link DriverError} ends the run and leaves the part as it is.
 */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';

  /** The time counts for all chats of the account. */
  readonly isAccountWide: boolean;

  /**
   * @param message for the operator, without secrets
   * @param retryAfterMs the platform takes nothing for this chat before that
   */
  constructor(
    readonly outcome: FailedDelivery,
    message: string,
    readonly retryAfterMs?: number,
    options?: ErrorOptions & { readonly isAccountWide?: boolean },
  ) {
    super(message, options);
    this.isAccountWide = options?.isAccountWide ?? false;
  }
}
