import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CATALOG_ID } from './catalog-id.js';
import { loadComponentSchemas, type ComponentSchemas } from './component-schemas.js';
import { A2uiFault } from './fault.js';
import { findPatternFault } from './pattern.js';
import { applyMessages, fromMessages, readSurfaceId, toMessages } from './surface-state.js';

const read = (file: string) => JSON.parse(readFileSync(`test/inputs/canvas/${file}`, 'utf8')) as Input;

interface Case {
  readonly name: string;
  readonly messages: readonly unknown[];
}
interface Input {
  readonly cases: readonly Case[];
  readonly messages: readonly unknown[];
}

const create = { createSurface: { surfaceId: 's', catalogId: CATALOG_ID } };
const components = (...list: readonly object[]) => ({ updateComponents: { surfaceId: 's', components: list } });
const data = (value: unknown, path = '/') => ({ updateDataModel: { surfaceId: 's', path, value } });

describe('messages of A2UI', () => {
  let schemas: ComponentSchemas;

  beforeAll(async () => {
    schemas = await loadComponentSchemas();
  });

  /** Returns the warnings, or the text of the fault. */
  function judge(messages: readonly unknown[]): readonly string[] | string {
    try {
      readSurfaceId(messages);
      return applyMessages(undefined, messages, schemas).warnings;
    } catch (error) {
      if (!(error instanceof A2uiFault)) throw error;
      return error.message;
    }
  }

  it('are checked by the schemas of the package', () => {
    const require = createRequire(import.meta.url);
    const folder = join(dirname(require.resolve('@a2ui/web_core/v0_9')), 'schemas');
    const pairs = [
      ['catalog.json', 'catalogs/basic/catalog.json'],
      ['common_types.json', 'common_types.json'],
    ] as const;
    for (const [own, theirs] of pairs) {
      const parse = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;
      expect(parse(join(import.meta.dirname, '../schemas', own))).toEqual(parse(join(folder, theirs)));
    }
    expect(require(join(folder, 'catalogs/basic/catalog.json'))).toMatchObject({ catalogId: CATALOG_ID });
  });

  it('[Y-03] are refused if a component contains itself, is too deep, or unfolds to too many elements', () => {
    const verdicts = Object.fromEntries(
      read('trees.json').cases.map(({ name, messages }) => [
        name,
        Array.isArray(messages) ? judge(messages) : undefined,
      ]),
    );
    expect(verdicts).toEqual({
      self: 'component root, at child of root: root contains itself',
      two: 'component root, at children/0 of c: root contains itself: root > c > root',
      'by a second update': expect.stringContaining('root contains itself'),
      'fan-out': 'the surface shows more than 2000 elements',
      deep: undefined,
      'cycle that root does not reach': 'component a, at child of b: a contains itself: a > b > a',
      good: [],
    });
    const chain = Array.from({ length: 2_000 }, (_, i) => ({
      id: i === 0 ? 'root' : `c${i}`,
      component: 'Card',
      child: `c${i + 1}`,
    }));
    expect(judge([create, components(...chain)])).toMatch(/^component c64 is deeper than 64 levels$/);
  });

  it('[Y-03] count what a list of the data shows', () => {
    const list = [
      { id: 'root', component: 'List', children: { componentId: 'row', path: '/rows' } },
      { id: 'row', component: 'Text', text: { path: 'name' } },
    ];
    const rows = (count: number) =>
      data(
        Array.from({ length: count }, (_, i) => ({ name: `n${i}` })),
        '/rows',
      );
    expect(judge([create, rows(1_999), components(...list)])).toEqual([]);
    expect(judge([create, rows(2_000), components(...list)])).toBe('the surface shows more than 2000 elements');
    const { state } = applyMessages(undefined, [create, components(...list)], schemas);
    expect(() => applyMessages(state, [rows(2_000)], schemas)).toThrow('more than 2000 elements');
  });

  it('[Y-02] name one path for what is wrong, and warn of what stays blank', () => {
    const verdicts = Object.fromEntries(read('blank.json').cases.map(({ name, messages }) => [name, judge(messages)]));
    expect(verdicts).toMatchObject({
      'no root': ['there is no component root yet, so nothing is shown'],
      'missing child': ['children/1 of root names "nope", which is not there'],
      'unknown component': expect.stringMatching(
        /^\/messages\/1\/updateComponents\/components\/2\/component must be one of Text, Image, .*DateTimeInput$/,
      ),
      'unknown property': '/messages/1/updateComponents/components/0/color is not known for Text',
      'version 0.8': expect.stringMatching(
        /^\/messages\/0\/beginRendering is of A2UI 0.8: use createSurface, updateComponents/,
      ),
      'no version': ['there is no component root yet, so nothing is shown'],
      'other catalogue': `/messages/0/createSurface/catalogId must be "${CATALOG_ID}"`,
      'same id twice in one message': '/messages/1/updateComponents/components/1/id stands twice: "root"',
      'empty surface id': '/messages/0/createSurface/surfaceId must be 1 to 64 letters, digits, _ and -',
    });
  });

  it('[Y-02] apply as a whole or not at all', () => {
    const verdicts = read('show-twice.json').cases.map(({ messages }) => judge(messages));
    expect(verdicts).toEqual([
      '/messages/1/createSurface is there already: createSurface stands once, at the beginning of canvas.show',
      expect.stringMatching(/^\/messages\/1\/updateComponents\/components\/0\/text has a form that it does not take/),
      [],
      '/messages/0/updateComponents is about a surface that is not there: begin with createSurface',
      '/messages/1/updateDataModel/path must not name __proto__',
    ]);
    const [, , replaced] = read('show-twice.json').cases;
    const { state } = applyMessages(undefined, replaced?.messages ?? [], schemas);
    expect([...state.components.values()]).toEqual([{ id: 'root', component: 'Text', text: 'b' }]);
  });

  it('[Y-03] are refused with a regular expression that could run without end', () => {
    expect(judge(read('regex.json').messages)).toBe(
      '/messages/2/updateComponents/components/0/checks/0/condition/args/pattern must not repeat a group',
    );
    for (const bad of [
      '(a|a)*',
      '^(\\w+\\s?)*$',
      'a*b*c*',
      '(?=a)',
      '(a)\\1',
      '(?<n>a)',
      '[',
      'a'.repeat(257),
      '(a{1,9}){9}',
    ])
      expect(findPatternFault(bad), bad).toBeDefined();
    for (const good of [
      '^[^@\\s]+@[^@\\s]+\\.[a-z]+$',
      '^\\d{4}-\\d{2}$',
      '^(?:yes|no)$',
      '^[A-Z(*+]{2,8}$',
      '\\(\\d+\\)*',
    ])
      expect(findPatternFault(good), good).toBeUndefined();
  });

  it('[Y-02] are refused with addresses of other kinds, and warn of pictures of other servers', () => {
    const image = (url: string) => judge([create, components({ id: 'root', component: 'Image', url })]);
    expect(image('javascript:alert(1)')).toMatch(/url must be an address of http or https/);
    expect(image('data:image/png;base64,AA')).toMatch(/url must be an address of http or https/);
    expect(image('https://example.org/a.png')).toEqual([
      expect.stringContaining('clients load nothing from other servers'),
    ]);
    expect(image('/media/f_01234567-89ab-cdef-0123-456789abcdef')).toEqual([]);
  });

  it('make the same surface again from the messages that it is stored as', () => {
    const messages = [
      { version: 'v0.9', createSurface: { surfaceId: 's', catalogId: CATALOG_ID, theme: { primaryColor: '#00BFFF' } } },
      components({ id: 'root', component: 'Text', text: { path: '/a/0/b' } }),
      data('x', '/a/0/b'),
      data(1, '/c'),
      data(undefined, '/c'),
    ];
    const { state } = applyMessages(undefined, messages, schemas);
    expect(state.data).toEqual({ a: [{ b: 'x' }] });
    const stored = toMessages(state, 'other');
    expect(fromMessages(JSON.parse(JSON.stringify(stored)) as unknown[])).toEqual(state);
    expect(stored[0]).toMatchObject({ createSurface: { surfaceId: 'other', sendDataModel: true } });
  });
});
