import { describe, expect, it } from 'vitest';
import { encodeRequest, encodeSpan, type EndedSpan } from './otlp-json.js';

const SPAN: EndedSpan = {
  name: 'turn',
  kind: 'consumer',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentSpanId: undefined,
  link: undefined,
  startedAt: 1_800_000_000_000_000,
  endedAt: 1_800_000_000_250_001,
  attributes: {},
  isError: false,
};

const encode = (changes: Partial<EndedSpan>) => JSON.parse(encodeSpan({ ...SPAN, ...changes }).toString()) as object;

describe('a span in OTLP', () => {
  it('has its fields in the form of JSON', () => {
    expect(encode({})).toEqual({
      traceId: SPAN.traceId,
      spanId: SPAN.spanId,
      name: 'turn',
      kind: 5,
      startTimeUnixNano: '1800000000000000000',
      endTimeUnixNano: '1800000000250001000',
      attributes: [],
      status: { code: 0 },
    });
  });

  it('has its parent, its link and its failure', () => {
    const link = { traceId: SPAN.traceId, spanId: '00f067aa0ba902b8' };
    expect(encode({ parentSpanId: '00f067aa0ba902b9', link, isError: true, kind: undefined })).toMatchObject({
      parentSpanId: '00f067aa0ba902b9',
      links: [link],
      status: { code: 2 },
      kind: 1,
    });
  });

  it('has values of every type', () => {
    const texts = ['"', '\\', '\n', '\u0000', '\u2028', '\ud800', 'ä€😀'];
    const attributes = { a: 2, b: true, c: 0.5, d: texts.join(''), '"key"': Number.NaN, e: 2 ** 60 };
    expect(encode({ name: 'a "name"', attributes })).toMatchObject({
      name: 'a "name"',
      attributes: [
        { key: 'a', value: { intValue: 2 } },
        { key: 'b', value: { boolValue: true } },
        { key: 'c', value: { doubleValue: 0.5 } },
        { key: 'd', value: { stringValue: texts.join('') } },
        { key: '"key"', value: { doubleValue: 'NaN' } },
        { key: 'e', value: { doubleValue: 2 ** 60 } },
      ],
    });
  });
});

describe('a request', () => {
  it('has its source once, and its spans', () => {
    const source = { resource: { 'service.name': 'gw' }, scope: { name: 'us', version: '1' } };
    const span = encodeSpan(SPAN);
    expect(JSON.parse(encodeRequest(source, [span, span]).toString())).toEqual({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'gw' } }] },
          scopeSpans: [{ scope: source.scope, spans: [JSON.parse(span.toString()), JSON.parse(span.toString())] }],
        },
      ],
    });
  });
});
