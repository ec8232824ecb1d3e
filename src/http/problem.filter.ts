import type { ServerResponse } from 'node:http';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { errorTable, GatewayError } from '../protocol/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { codedProblem, plainProblem, PROBLEM_MEDIA_TYPE, type Problem } from './problem.js';

/** Tells HTTP callers of every failure in one form (RFC 9457); the cause of an unexpected one goes to the log only. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log: Log;

  constructor(logs: Logs) {
    this.log = logs.for('gateway');
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>();
    const problem = this.toProblem(error);
    if (response.headersSent) return void response.destroy();
    if (problem.retry_after_ms !== undefined)
      response.setHeader('Retry-After', Math.ceil(problem.retry_after_ms / 1_000));
    response.writeHead(problem.status, { 'Content-Type': PROBLEM_MEDIA_TYPE });
    response.end(JSON.stringify(problem));
  }

  private toProblem(error: unknown): Problem {
    if (error instanceof HttpException) return plainProblem(error.getStatus(), describe(error));
    const status = readClientStatus(error);
    if (status !== undefined) return plainProblem(status, (error as Error).message);
    const failure = GatewayError.from(error);
    const { level, httpStatus } = errorTable[failure.code];
    const fields = { code: failure.code, details: failure.details };
    this.log[level](failure.cause === undefined ? fields : { ...fields, error: failure.cause }, 'a request failed');
    return codedProblem(httpStatus, failure.toPayload());
  }
}

/** Validation tells its faults as a list. */
function describe(error: HttpException): string {
  const body = error.getResponse();
  const message = typeof body === 'object' && 'message' in body ? body.message : undefined;
  return Array.isArray(message) ? message.join('; ') : error.message;
}

/** Errors of Express and its parsers carry a status, and say whether their message is fit to be told. */
function readClientStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error) || !('expose' in error)) return undefined;
  return error.expose === true && typeof error.status === 'number' ? error.status : undefined;
}
