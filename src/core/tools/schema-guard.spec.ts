import { describe, expect, it } from 'vitest';
import { guardSchema } from './schema-guard.js';

const faultOf = (schema: unknown) => {
  const guarded = guardSchema(schema);
  return guarded.ok ? 'none' : guarded.fault;
};
const cleanOf = (schema: unknown) => {
  const guarded = guardSchema(schema);
  if (!guarded.ok) throw new Error(guarded.fault);
  return guarded.schema;
};
const nest = (levels: number): object => (levels === 0 ? {} : { items: nest(levels - 1) });

describe('a foreign schema', () => {
  it('is unchanged when it is harmless', () => {
    const schema = {
      type: 'object',
      properties: {
        pattern: { type: 'string', minLength: 1 },
        $ref: { enum: [1, { pattern: '(a+)+$' }] },
        list: { type: 'array', prefixItems: [true], items: { anyOf: [{ type: 'null' }] } },
      },
      required: ['pattern'],
      additionalProperties: false,
    };
    expect(cleanOf(schema)).toEqual(schema);
  });

  it('[Q-01] loses keywords whose validation time depends on the values', () => {
    const schema = {
      properties: { a: { type: 'string', pattern: '(a+)+$' }, b: { uniqueItems: true } },
      patternProperties: { '(a+)+$': {} },
      additionalProperties: false,
    };
    expect(cleanOf(schema)).toEqual({ type: 'object', properties: { a: { type: 'string' }, b: {} } });
  });

  it('[Q-01] loses names and keywords that have a meaning for compilers', () => {
    const schema = JSON.parse(
      '{"$id":"x","$schema":"http://x","$async":true,"x-own":1,"properties":{"__proto__":{"type":"string"},"constructor":{},"a":{}}}',
    ) as object;
    expect(cleanOf(schema)).toEqual({ type: 'object', properties: { a: {} } });
  });

  it('[Q-01] has its internal references expanded', () => {
    const schema = {
      $defs: { 'a/b': { type: 'integer' } },
      properties: { x: { $ref: '#/$defs/a~1b' }, y: { $ref: '#/$defs/a~1b', title: 'Y' } },
    };
    expect(cleanOf(schema)).toEqual({
      type: 'object',
      properties: { x: { type: 'integer' }, y: { title: 'Y', allOf: [{ type: 'integer' }] } },
    });
  });

  it.each([
    [
      'a tuple of draft-07',
      { properties: { a: { items: [{ type: 'string' }, { type: 'number' }], additionalItems: false } } },
      { properties: { a: { prefixItems: [{ type: 'string' }, { type: 'number' }], items: false } } },
    ],
    ['an exclusive bound of draft-04', { minimum: 1, exclusiveMinimum: true }, { exclusiveMinimum: 1 }],
    ['an inclusive bound of draft-04', { maximum: 9, exclusiveMaximum: false }, { maximum: 9 }],
    [
      'what OpenAPI calls nullable',
      { properties: { a: { type: 'string', enum: ['x'], nullable: true }, b: { nullable: true } } },
      { properties: { a: { type: ['string', 'null'], enum: ['x', null] }, b: {} } },
    ],
    [
      'null in place of nothing',
      { additionalProperties: null, description: null, properties: { a: { default: null, required: null } } },
      { properties: { a: { default: null } } },
    ],
    [
      'an anchor',
      { $defs: { a: { $anchor: 'kind', type: 'integer' } }, properties: { x: { $ref: '#kind' } } },
      { properties: { x: { type: 'integer' } } },
    ],
    [
      'its own id in a reference',
      {
        $id: 'https://acme.test/s',
        definitions: { a: { type: 'integer' } },
        properties: { x: { $ref: 'https://acme.test/s#/definitions/a' } },
      },
      { properties: { x: { type: 'integer' } } },
    ],
  ])('is converted to 2020-12: %s', (_what, schema, expected) => {
    expect(cleanOf(schema)).toEqual({ type: 'object', ...expected });
  });

  it('[Q-01] accepts anything where it is recursive', () => {
    const tree = { properties: { child: { $ref: '#' }, other: { $ref: '#/properties/child' } } };
    expect(JSON.stringify(cleanOf(tree))).toContain('true');
  });

  it.each([
    ['a remote reference', { $ref: 'http://evil.test/schema' }, 'outside itself'],
    ['a reference to a file', { properties: { a: { $ref: 'file:///etc/passwd' } } }, 'outside itself'],
    ['a reference to an anchor', { $ref: '#anchor' }, 'outside itself'],
    ['a reference to nothing', { $ref: '#/$defs/x' }, 'does not have'],
    ['a reference to a prototype', { $ref: '#/constructor' }, 'does not have'],
    ['a malformed reference', { $ref: '#/%zz' }, 'malformed'],
    ['a dynamic reference', { $dynamicRef: '#a' }, /\$dynamicRef/],
    ['a large schema', { description: 'x'.repeat(70_000) }, '65536 characters'],
    ['a deep schema', nest(21), '20 levels'],
    ['a deep constant', { const: JSON.parse(`${'['.repeat(30)}${']'.repeat(30)}`) as unknown }, '20 levels'],
    [
      'a schema of very many levels',
      JSON.parse(`${'{"not":'.repeat(7_000)}{}${'}'.repeat(7_000)}`) as unknown,
      /deep|levels/,
    ],
    ['no schema', 'text', 'not an object'],
    ['a list', [], 'not an object'],
    ['nothing', undefined, 'characters'],
    ['a part that is not a schema', { properties: { a: 1 } }, 'not a schema'],
    ['lists that are none', { anyOf: {} }, 'not a list'],
    ['maps that are none', { properties: [] }, 'not a map'],
  ])('[Q-01] is refused: %s', (_what, schema, fault) => expect(faultOf(schema)).toMatch(fault));

  it('[Q-01] is refused when its references double at each level', () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 15 }, (_, i) => [
        `d${i}`,
        { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
      ]),
    );
    expect(faultOf({ $defs: { ...$defs, d15: {} }, $ref: '#/$defs/d0' })).toMatch(
      /more than 2000 parts|deeper than 20 levels/,
    );
  });
});
