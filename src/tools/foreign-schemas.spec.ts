import { expect, it } from 'vitest';
import { compileForeignSchema } from './foreign-schemas.js';

it('reports what does not fit and where, and changes nothing', async () => {
  const findFaults = await compileForeignSchema({
    type: 'object',
    properties: { a: { type: 'integer', default: 5 }, when: { format: 'date' } },
    required: ['b'],
  });
  expect(findFaults({ b: 1, when: 'some day' })).toEqual([]);
  const parameters = { a: 'x', b: 1 };
  expect(findFaults(parameters)).toEqual([{ pointer: '/a', message: 'must be integer' }]);
  expect(findFaults({})).toEqual([{ pointer: '', message: "must have required property 'b'" }]);
  expect(parameters).toEqual({ a: 'x', b: 1 });
});

it('compiles equal schemas once', async () => {
  const schema = () => ({ type: 'object', properties: { same: { type: 'string' } } });
  expect(await compileForeignSchema(schema())).toBe(await compileForeignSchema(schema()));
});

it('refuses a value that is not a schema', async () => {
  await expect(compileForeignSchema({ type: 'nonsense' })).rejects.toThrow('schema is invalid');
});
