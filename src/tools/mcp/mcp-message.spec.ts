import { describe, expect, it } from 'vitest';
import { LineBuffer } from './line-buffer.js';
import { parseMessage } from './mcp-message.js';

describe('a line of an MCP program', () => {
  const result = { jsonrpc: '2.0', id: 1, result: {} };

  it.each([
    ['{"jsonrpc":"2.0","id":1,"result":{}}', result],
    ['\uFEFF{"jsonrpc":"2.0","id":1,"result":{}}', result],
    ['Starting server... {"jsonrpc":"2.0","id":1,"result":{}}', result],
    ['{"jsonrpc":"2.0","id":1,"result":{"_meta":null},"error":null,"extra":1}', result],
    [
      '{"jsonrpc":"2.0","id":1,"error":{"message":"no"}}',
      { jsonrpc: '2.0', id: 1, error: { code: -32_603, message: 'no' } },
    ],
    [
      '{"jsonrpc":"2.0","id":1,"error":"broken"}',
      { jsonrpc: '2.0', id: 1, error: { code: -32_603, message: 'broken' } },
    ],
    [
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":{"a":1}}}',
      { jsonrpc: '2.0', id: 1, error: { code: -32_001, message: '{"a":1}' } },
    ],
    [
      '{"jsonrpc":"2.0","id":1,"result":["no object"]}',
      { jsonrpc: '2.0', id: 1, error: { code: -32_603, message: 'the result is not an object' } },
    ],
    ['{"jsonrpc":"2.0","method":"m","params":[]}', { jsonrpc: '2.0', method: 'm' }],
    [
      '{"jsonrpc":"2.0","id":"a","method":"m","params":{"p":1}}',
      { jsonrpc: '2.0', id: 'a', method: 'm', params: { p: 1 } },
    ],
  ])('is repaired and read: %s', (line, message) => expect(parseMessage(line)).toEqual(message));

  it.each(['listening on 3000', '', '{', '  "id": 1,', '{"level":"info"}', '{"jsonrpc":"2.0","result":{}}', '[1]'])(
    'is not a message: %s',
    (line) => expect(parseMessage(line)).toBeUndefined(),
  );
});

describe('a buffer of lines', () => {
  it('joins chunks into lines', () => {
    const lines = new LineBuffer(100);
    expect([...lines.push(Buffer.from('a\r\nb'))]).toEqual(['a']);
    expect([...lines.push(Buffer.from('c\n\nd'))]).toEqual(['bc', '']);
  });

  it('holds at most one line of the maximum length', () => {
    const lines = new LineBuffer(10);
    expect([...lines.push(Buffer.from('12345'))]).toEqual([]);
    expect(() => [...lines.push(Buffer.from('678901'))]).toThrow('more than 10 bytes');
  });
});
