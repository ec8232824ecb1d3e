import { STATUS_CODES } from 'node:http';
import { ServiceUnavailableException } from '@nestjs/common';
import type { ErrorPayload, PayloadFault } from '../protocol/index.js';

/** The body of a failed HTTP response (RFC 9457), with the fields of an `error` frame if its code is of the error table. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Of the error table, or the name of the status: `CONFLICT`. */
  readonly code: string;
  readonly retryable?: boolean;
  readonly retry_after_ms?: number;
  readonly details?: object;
  /** Where the request is wrong. The same as in `details`. */
  readonly faults?: readonly PayloadFault[];
}

/** A request that may succeed a little later: HTTP 503 with `Retry-After`. */
export class RetryLaterException extends ServiceUnavailableException {
  /** @param retryAfterMs milliseconds */
  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** Creates the problem of a failure that has only a status: its code is the name of the status. */
export function plainProblem(status: number, detail: string): Problem {
  return { type: 'about:blank', title: titleOf(status), status, detail, code: codeOfStatus(status) };
}

/** Returns the code of failures that have only a status: `NOT_FOUND` of 404. */
export function codeOfStatus(status: number): string {
  return titleOf(status)
    .toUpperCase()
    .replaceAll(/[^A-Z]+/g, '_');
}

function titleOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

/** Creates the problem of a failure with a code of the error table. */
export function codedProblem(status: number, { message, ...fields }: ErrorPayload): Problem {
  return {
    type: `urn:openclaw:error:${fields.code.toLowerCase()}`,
    title: titleOf(status),
    status,
    detail: message,
    ...fields,
    ...(hasFaults(fields.details) && { faults: fields.details.faults }),
  };
}

function hasFaults(details: object | undefined): details is { readonly faults: readonly PayloadFault[] } {
  return details !== undefined && 'faults' in details;
}
