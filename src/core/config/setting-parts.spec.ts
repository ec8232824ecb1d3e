import { describe, expect, it } from 'vitest';
import Type from 'typebox';
import { getPart, listChangedParts, setPart } from './setting-parts.js';

const schema = Type.Record(
  Type.String(),
  Type.Object({
    name: Type.Optional(Type.String()),
    rights: Type.Optional(Type.Array(Type.String(), { 'x-scope': 'config:dangerous' })),
  }),
);
const changed = (before: unknown, after: unknown) =>
  listChangedParts(schema, before, after).map(({ path, scope }) => [path.join('.'), scope]);

describe('a part of a setting', () => {
  it('is read, set and removed without changing the value it is taken from', () => {
    const value = { ops: { name: 'ada' } };
    expect(getPart(value, ['ops', 'name'])).toBe('ada');
    expect(getPart(value, ['ops', 'name', 'first'])).toBeUndefined();
    expect(getPart(value, ['__proto__', 'constructor'])).toBeUndefined();
    expect(setPart(value, ['ops', 'model'], 'x')).toEqual({ ops: { name: 'ada', model: 'x' } });
    expect(setPart(value, ['new', 'name'], 'bob')).toEqual({ ops: { name: 'ada' }, new: { name: 'bob' } });
    expect(setPart(value, ['ops', 'name'], undefined)).toEqual({ ops: {} });
    expect(value).toEqual({ ops: { name: 'ada' } });
  });

  it('cannot reach the prototype of a map', () => {
    const value = setPart({}, ['__proto__', 'isAdmin'], true) as Record<string, unknown>;
    expect(value['isAdmin']).toBeUndefined();
    expect(Object.keys(value)).toEqual(['__proto__']);
  });

  it.each([
    ['a field', { ops: { name: 'a' } }, { ops: { name: 'b' } }, [['ops.name', 'config:write']]],
    ['a field with a scope of its own', { ops: {} }, { ops: { rights: [] } }, [['ops.rights', 'config:dangerous']]],
    [
      'what is new',
      undefined,
      { ops: { name: 'a', rights: ['x'] } },
      [
        ['ops.name', 'config:write'],
        ['ops.rights', 'config:dangerous'],
      ],
    ],
    ['what is removed', { ops: { rights: ['x'] } }, {}, [['ops.rights', 'config:dangerous']]],
    ['an empty map', {}, { ops: {} }, [['ops', 'config:write']]],
    ['nothing', { ops: { name: 'a' } }, { ops: { name: 'a' } }, []],
  ])('is compared field by field: %s', (_, before, after, expected) => {
    expect(changed(before, after)).toEqual(expected);
  });
});
