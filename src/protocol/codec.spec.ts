import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { checkFrame, checkPayload, parseFrame, salvageId } from './codec.js';
import { GatewayError, type ErrorCode, type PayloadFault } from './errors.js';
import { countCodePoints } from './code-points.js';

const frame = (change: object = {}) => JSON.stringify({ type: 'ping', id: 'a', timestamp: 1, payload: {}, ...change });
const message = (change: object = {}) => ({ channel: 'telegram', sender: 'ada', content: 'hi', ...change });

const decodeFrame = (source: string) => checkFrame(parseFrame(source), source);

/** The code of the error that `run` throws, or 'fine'. */
function codeOf(run: () => unknown): ErrorCode | 'fine' {
  try {
    run();
    return 'fine';
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

function faultsOf(payload: object): readonly PayloadFault[] {
  try {
    checkPayload('message_in', payload);
    return [];
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'INVALID_PAYLOAD')
      return (error.details as { faults: PayloadFault[] }).faults;
    throw error;
  }
}

describe('an envelope', () => {
  it('[E-01] has a type, an id, a timestamp and a payload, and may name a session', () => {
    expect(decodeFrame(frame({ session_id: 's' }))).toEqual({
      type: 'ping',
      id: 'a',
      timestamp: 1,
      payload: {},
      session_id: 's',
    });
  });

  it.each([
    ['no JSON', 'ping'],
    ['nothing', ''],
    ['no object', '[]'],
    ['null', 'null'],
    ['no type', frame({ type: undefined })],
    ['a type that is not a string', frame({ type: 1 })],
    ['no id', frame({ id: undefined })],
    ['an id that is not a string', frame({ id: 1 })],
    ['no timestamp', frame({ timestamp: undefined })],
    ['a timestamp with a fraction', frame({ timestamp: 1.5 })],
    ['a timestamp that is text', frame({ timestamp: '1' })],
    ['no payload', frame({ payload: undefined })],
    ['a payload that is a list', frame({ payload: [] })],
    ['a payload that is null', frame({ payload: null })],
    ['a session_id that is not a string', frame({ session_id: 7 })],
  ])('[E-01] with %s is INVALID_FRAME', (_, source) => {
    expect(codeOf(() => decodeFrame(source))).toBe('INVALID_FRAME');
  });

  it.each([
    ['of 128 characters', 'x'.repeat(128), 'fine'],
    ['of 128 characters outside the basic plane', '🦞'.repeat(128), 'fine'],
    ['of 129 characters', 'x'.repeat(129), 'INVALID_FRAME'],
    ['that is empty', '', 'INVALID_FRAME'],
    ['with a line break', 'a\nb', 'INVALID_FRAME'],
    ['with NUL', 'a\u0000', 'INVALID_FRAME'],
    ['with a C1 control character', 'a\u009b', 'INVALID_FRAME'],
    ['with a lone surrogate', 'a\ud800', 'INVALID_FRAME'],
  ])('[E-02] has an id: one %s is %s', (_, id, outcome) => {
    expect(codeOf(() => decodeFrame(frame({ id })))).toBe(outcome);
  });

  it('[E-03] with an unknown field is INVALID_FRAME, and the field is named', () => {
    expect(() => decodeFrame(frame({ sesion_id: 's' }))).toThrow(/sesion_id/);
  });

  it('[E-04] may be 32 levels deep and have 4,000 values, and no more', () => {
    const nested = (depth: number) =>
      `{"type":"ping","id":"a","timestamp":1,"payload":${'{"a":'.repeat(depth - 2)}{}${'}'.repeat(depth - 2)}}`;
    expect(codeOf(() => decodeFrame(nested(32)))).toBe('fine');
    expect(codeOf(() => decodeFrame(nested(33)))).toBe('INVALID_FRAME');
    const wide = (values: number) => frame({ payload: { list: Array.from({ length: values }, () => 0) } });
    // The four fields, the payload's one and the list itself are values too.
    expect(codeOf(() => decodeFrame(wide(3_990)))).toBe('fine');
    expect(codeOf(() => decodeFrame(wide(4_001)))).toBe('INVALID_FRAME');
  });

  it('[E-04] is not counted as deep because of brackets in its texts', () => {
    const content = `${'['.repeat(100)}\\"{{,,${','.repeat(20_000)}\\`;
    expect(codeOf(() => decodeFrame(frame({ payload: { content } })))).toBe('fine');
  });

  it('[E-04] that nests endlessly is refused before it is parsed', () => {
    const parse = vi.spyOn(JSON, 'parse');
    try {
      expect(codeOf(() => decodeFrame('['.repeat(1_000_000)))).toBe('INVALID_FRAME');
      expect(parse).not.toHaveBeenCalled();
    } finally {
      parse.mockRestore();
    }
  });

  it.each(['__proto__', 'constructor', 'prototype'])('[E-05] with the key %s anywhere is INVALID_FRAME', (key) => {
    const escaped = `\\u00${key.charCodeAt(0).toString(16)}${key.slice(1)}`;
    for (const spelling of [key, escaped]) {
      expect(
        codeOf(() =>
          decodeFrame(`{"type":"ping","id":"a","timestamp":1,"payload":{"metadata":{"x":[{"${spelling}":{}}]}}}`),
        ),
      ).toBe('INVALID_FRAME');
    }
    expect(codeOf(() => decodeFrame(frame({ payload: { content: `"${key}": {}` } })))).toBe('fine');
  });

  it('[T-38] that is invalid has its id in the error, if it can be read', () => {
    expect(salvageId('{"id":"slip"}')).toEqual({ id: 'slip' });
    for (const source of ['slip', 'null', '{"id":7}', '{"id":"a\\u0000"}', JSON.stringify({ id: 'x'.repeat(129) })]) {
      expect(salvageId(source), source).toBeUndefined();
    }
  });

  it.each([
    ['too many values', `[${'0,'.repeat(4_000)}0]`],
    ['too many levels', `{"a":${'{"id":'.repeat(3_000)}1${'}'.repeat(3_001)}`],
    ['a forbidden key in a large frame', `{"constructor":"${'x'.repeat(5_000)}","id":"inner"}`],
  ])('[T-38] that has %s has its id in the error, wherever the id stands', (_, payload) => {
    const parse = vi.spyOn(JSON, 'parse');
    const inside = `"type":"message_in","payload":${payload}`;
    for (const source of [`{"id":"big",${inside}}`, `{${inside}, "id" : "b\\u0069g" }`]) {
      expect(codeOf(() => decodeFrame(source))).toBe('INVALID_FRAME');
      parse.mockClear();
      expect(salvageId(source)).toEqual({ id: 'big' });
      for (const [text] of parse.mock.calls) expect(text.length).toBeLessThan(20);
    }
    parse.mockRestore();
    expect(salvageId(`{${inside}}`)).toBeUndefined();
    expect(salvageId(`{"type":"id",${inside}}`)).toBeUndefined();
    expect(salvageId(`{"id":7,${inside}}`)).toBeUndefined();
    expect(salvageId(`{"id":"${'x'.repeat(129)}",${inside}}`)).toBeUndefined();
  });

  it('[E-01] from any JSON is read or refused, without another error', () => {
    fc.assert(
      fc.property(fc.json(), (source) => ['fine', 'INVALID_FRAME'].includes(codeOf(() => decodeFrame(source)))),
    );
  });
});

describe('a payload', () => {
  it('[E-03] with an unknown field is INVALID_PAYLOAD, and the field is named', () => {
    expect(faultsOf(message({ colour: 'red' }))).toEqual([{ pointer: '/colour', message: 'is not a known field' }]);
    expect(faultsOf(message({ attachments: [{ kind: 'file', siz: 1 }] }))).toEqual([
      { pointer: '/attachments/0/siz', message: 'is not a known field' },
    ]);
  });

  it('[E-03] may have anything in its metadata', () => {
    expect(faultsOf(message({ metadata: { a: { b: [1, null, 'c', { d: true }] } } }))).toEqual([]);
  });

  it('[E-06] is measured in code points, both ends included', () => {
    for (const letter of ['x', 'é', '🦞']) {
      expect(faultsOf(message({ content: letter.repeat(65_536) })), letter).toEqual([]);
      expect(faultsOf(message({ content: letter.repeat(65_537) })), letter).toHaveLength(1);
      expect(faultsOf(message({ channel: letter.repeat(256) })), letter).toEqual([]);
      expect(faultsOf(message({ channel: letter.repeat(257) })), letter).toHaveLength(1);
    }
    // One grapheme can have many code points.
    expect(faultsOf(message({ channel: `e${'\u0301'.repeat(256)}` }))).toHaveLength(1);
    expect(faultsOf(message({ channel: '' }))).toHaveLength(1);
  });

  it('[E-06] is measured as an iteration over the text counts', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => countCodePoints(text) === [...text].length));
  });

  it.each(['channel', 'sender', 'sender_name', 'group_id', 'thread_id', 'queue', 'reply_to'])(
    '[E-07] has no control characters in %s',
    (field) => {
      for (const character of ['\u0000', '\n', '\u001b', '\u007f', '\u0085', '\ud800']) {
        expect(faultsOf(message({ [field]: `a${character}b` })), JSON.stringify(character)).toMatchObject([
          { pointer: `/${field}` },
        ]);
      }
    },
  );

  it('[E-07] may have line breaks and tabs in its text, but no NUL and no lone surrogate', () => {
    expect(faultsOf(message({ content: 'a\r\n\tb\u001b' }))).toEqual([]);
    expect(faultsOf(message({ content: 'a\u0000' }))).toMatchObject([{ pointer: '/content' }]);
    expect(faultsOf(message({ content: 'a\udfff' }))).toMatchObject([{ pointer: '/content' }]);
  });

  it('[E-07] has neither NUL nor a lone surrogate in its metadata, keys included', () => {
    expect(faultsOf(message({ metadata: { a: ['\u0000'] } }))).toMatchObject([{ pointer: '/metadata/a/0' }]);
    expect(faultsOf(message({ metadata: { 'a/b~c': '\ud800' } }))).toMatchObject([{ pointer: '/metadata/a~1b~0c' }]);
    expect(faultsOf(message({ metadata: { 'bad\u0000': 1 } }))).toHaveLength(1);
  });

  it('[T-35] reports several faults, each with its place, and a limited number', () => {
    expect(faultsOf({ channel: 1, content: 'hi' }).map((fault) => fault.pointer)).toEqual(
      expect.arrayContaining(['/channel']),
    );
    const unknown = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`field_${i}`, 1]));
    expect(faultsOf(message(unknown)).length).toBeLessThanOrEqual(10);
  });
});

describe('a number that is too large', () => {
  it('[E-07] is refused, because it would be stored as null', () => {
    const withNumber = (number: string) =>
      `{"type":"ping","id":"a","timestamp":1,"payload":{"metadata":{"a":[${number}]}}}`;
    for (const number of ['1e400', '-1E+999', `1${'0'.repeat(400)}`, `${'9'.repeat(299)}.0e30`])
      expect(() => decodeFrame(withNumber(number))).toThrow('number that is too large');
    for (const number of ['1e300', '1e-400', '9007199254740993', '0.1'])
      expect(() => decodeFrame(withNumber(number))).not.toThrow();
  });
});
