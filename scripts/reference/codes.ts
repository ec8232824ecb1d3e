import { closeTable, errorTable, type ErrorRow } from '../../src/protocol/index.js';
import { code, GENERATED, page, table } from './markdown.js';

/** Renders `docs/reference/errors.md`: every error in response to a frame or a request. */
export function renderErrors(): string {
  const rows = Object.entries<Omit<ErrorRow<never>, 'message'>>(errorTable).map(([name, row]) => [
    code(name),
    row.when,
    row.action,
    row.retryable ? 'yes' : 'no',
    String(row.httpStatus),
    row.level,
  ]);
  return page(
    '# Errors',
    GENERATED,
    'An error keeps the connection open. It is sent as an `error` frame `{code, message, retryable, retry_after_ms?, details?}` ' +
      'whose `correlation_id` is the `id` of the refused frame, as the `error` of a `stream_end`, or over HTTP as ' +
      '`application/problem+json` (RFC 9457) with the same fields. There, the code of a failure that has only a status is the name ' +
      'of that status, such as `CONFLICT` of 409. A refused frame is neither acknowledged nor stored.',
    table(['code', 'when', 'what to do', 'retryable', 'HTTP status', 'log level'], rows),
    'The codes that close a connection are in [close-codes.md](close-codes.md).',
  );
}

/** Renders `docs/reference/close-codes.md`: why the gateway closes a connection. */
export function renderCloseCodes(): string {
  const rows = Object.values(closeTable).map((row) => [
    String(row.code),
    row.reason,
    row.action,
    row.reconnect ? 'yes' : 'no',
  ]);
  return page(
    '# Close codes',
    GENERATED,
    'Codes below 4000 are those of RFC 6455. 4000 to 4099 belong to the gateway; extensions use 4500 to 4999. ' +
      'The last column says whether a client that reconnects unchanged may succeed.',
    table(['code', 'reason', 'the client should', 'connect again'], rows),
    'Errors that keep the connection open are in [errors.md](errors.md).',
  );
}
