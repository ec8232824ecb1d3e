import { ApiError } from './api.js';
import { consoleTexts } from './texts.js';

/** Says in a sentence why the gateway did not do something, with the code of the error. */
export function describeError(error: unknown): string {
  const { unreachable, missing, ended, unknownFailure, failed } = consoleTexts.failure;
  if (!(error instanceof ApiError)) return unknownFailure;
  if (error.isUnreachable) return unreachable;
  if (error.isMissing) return missing;
  if (error.status === 401) return ended;
  return failed(error.message || unknownFailure, error.code ?? String(error.status));
}
