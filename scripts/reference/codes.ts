import { closeTable, errorTable, type ErrorRow } from '../../src/protocol/index.js';
import { code, GENERATED, page, table } from './markdown.js';

/** `docs/reference/errors.md`: every error that a frame or a request can be answered with. */
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
    'An error keeps the connection open. It travels as an `error` frame `{code, message, retryable, retry_after_ms?, details?}` ' +
      'whose `correlation_id` is the `id` of the frame that was refused, as the `error` of a `stream_end`, or over HTTP as ' +
      '`application/problem+json` (RFC 9457) with the same fields. A frame that was refused is neither acknowledged nor stored.',
    table(['code', 'when', 'what to do', 'retryable', 'HTTP status', 'log level'], rows),
    'What ends a connection instead is in [close-codes.md](close-codes.md).',
  );
}

/** `docs/reference/close-codes.md`: why the gateway ends a connection. */
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
      'The last column says whether a client that connects again just as before can hope for better.',
    table(['code', 'reason', 'the client should', 'connect again'], rows),
    'What keeps the connection open is in [errors.md](errors.md).',
  );
}
