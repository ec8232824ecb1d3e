import type { IncomingMessage, ServerResponse } from 'node:http';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { errorTable, GatewayError } from '../protocol/index.js';
import type { Principal } from '../core/identity/principal.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { codedProblem, plainProblem, PROBLEM_MEDIA_TYPE, RetryLaterException, type Problem } from './problem.js';

/** Reports every failure to HTTP callers in one form (RFC 9457). The cause of an unexpected one is only logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log: Log;

  constructor(logs: Logs) {
    this.log = logs.for('gateway');
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const response = http.getResponse<ServerResponse>();
    if (hasLeft(http.getRequest<IncomingMessage>(), error)) return void response.destroy();
    const problem = this.toProblem(
      error,
      http.getRequest<{ readonly caller?: { readonly principal: Principal } }>().caller?.principal,
    );
    if (response.headersSent) return void response.destroy();
    if (problem.retry_after_ms !== undefined)
      response.setHeader('Retry-After', Math.ceil(problem.retry_after_ms / 1_000));
    response.writeHead(problem.status, { 'Content-Type': PROBLEM_MEDIA_TYPE });
    response.end(JSON.stringify(problem));
  }

  private toProblem(error: unknown, caller: Principal | undefined): Problem {
    if (error instanceof RetryLaterException)
      return { ...plainProblem(503, error.message), retryable: true, retry_after_ms: error.retryAfterMs };
    if (error instanceof HttpException) return plainProblem(error.getStatus(), describe(error));
    const status = readClientStatus(error);
    if (status !== undefined) return plainProblem(status, describeParserError(error as Error));
    const failure = GatewayError.from(error);
    const { level, httpStatus } = errorTable[failure.code];
    const fields = {
      code: failure.code,
      details: failure.details,
      tenant: caller?.tenant,
      principal: caller?.principal,
    };
    this.log[level](failure.cause === undefined ? fields : { ...fields, error: failure.cause }, 'a request failed');
    return codedProblem(httpStatus, failure.toPayload());
  }
}

/** Returns whether an error says that the peer has left in the middle of its body or of its response: no failure of the gateway. */
function hasLeft(request: IncomingMessage, error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isCut = 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
  return error === request.errored || (isCut && request.socket.destroyed);
}

/** Returns the message; validation errors have a list of them. */
function describe(error: HttpException): string {
  const body = error.getResponse();
  const message = typeof body === 'object' && 'message' in body ? body.message : undefined;
  return Array.isArray(message) ? message.join('; ') : error.message;
}

/** The parser's own words for a body that is too large do not name its limit. */
function describeParserError(error: Error & { readonly type?: unknown; readonly limit?: unknown }): string {
  return error.type === 'entity.too.large' ? `The body is larger than ${String(error.limit)} bytes` : error.message;
}

/** Returns the status of an error of Express or its parsers, if the error may be shown to the client. */
function readClientStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error) || !('expose' in error)) return undefined;
  return error.expose === true && typeof error.status === 'number' ? error.status : undefined;
}
