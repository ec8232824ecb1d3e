import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

const INTERNAL_ERROR = -32_603;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Parses a line of an MCP program as a JSON-RPC message. Returns undefined if it is not one, for example a log line.
 * Skips text before the message (a byte order mark, a banner without a line end), and repairs or drops invalid fields,
 * so that a call with a malformed response fails immediately and not at its time limit.
 */
export function parseMessage(line: string): JSONRPCMessage | undefined {
  const start = line.indexOf('{');
  if (start === -1) return undefined;
  try {
    const fields: unknown = JSON.parse(line.slice(start));
    return isFields(fields) && fields['jsonrpc'] === '2.0' ? repair(fields) : undefined;
  } catch {
    return undefined;
  }
}

function repair({ id, method, params, result, error }: Fields): JSONRPCMessage | undefined {
  const hasId = typeof id === 'string' || typeof id === 'number';
  if (typeof method === 'string')
    return { jsonrpc: '2.0', method, ...(hasId && { id }), ...(isFields(params) && { params: dropOddMeta(params) }) };
  if (!hasId) return undefined;
  if (error !== undefined && error !== null) return { jsonrpc: '2.0', id, error: repairError(error) };
  if (isFields(result)) return { jsonrpc: '2.0', id, result: dropOddMeta(result) };
  return { jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message: 'the result is not an object' } };
}

function repairError(error: unknown): { code: number; message: string } {
  const { code, message = error } = isFields(error) ? error : { code: undefined };
  return {
    code: Number.isSafeInteger(code) ? (code as number) : INTERNAL_ERROR,
    message: typeof message === 'string' ? message : JSON.stringify(message),
  };
}

function dropOddMeta({ _meta, ...fields }: Fields): Fields {
  return isFields(_meta) ? { ...fields, _meta } : fields;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
