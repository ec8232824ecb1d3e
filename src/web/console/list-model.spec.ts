import { describe, expect, it } from 'vitest';
import type { Page } from './api.js';
import { findWindow, ListModel } from './list-model.js';

interface Row {
  readonly id: string;
  readonly state?: string;
}

/** A list whose pages a test gives. */
function makeList() {
  const asked: (string | undefined)[] = [];
  const pages = new Map<string | undefined, Page<Row> | Error>();
  const model = new ListModel<Row>(
    async (cursor) => {
      asked.push(cursor);
      const page = pages.get(cursor) ?? { items: [] };
      if (page instanceof Error) throw page;
      return page;
    },
    ({ id }) => id,
  );
  const rows = (...ids: string[]) => ids.map((id) => ({ id }));
  const shown = () => model.rows.map(({ id }) => id);
  return { asked, pages, model, rows, shown };
}

describe('the rows of a list', () => {
  it('come page by page, each row once', async () => {
    const { pages, model, rows, shown, asked } = makeList();
    pages.set(undefined, { items: rows('a', 'b'), next: 'x' }).set('x', { items: rows('b', 'c') });
    await model.read();
    expect([model.hasMore, shown()]).toEqual([true, ['a', 'b']]);
    await model.readMore();
    await model.readMore();
    expect([model.hasMore, shown(), asked]).toEqual([false, ['a', 'b', 'c'], [undefined, 'x']]);
  });

  it('are read up to a number, or to the end, or until a page fails', async () => {
    const { pages, model, rows, shown, asked } = makeList();
    pages
      .set(undefined, { items: rows('a', 'b'), next: 'x' })
      .set('x', { items: rows('c', 'd'), next: 'y' })
      .set('y', new Error('no'));
    void model.read();
    await model.readUpTo(3);
    expect([model.hasMore, shown()]).toEqual([true, ['a', 'b', 'c', 'd']]);
    await model.readUpTo(10);
    expect([model.phase, shown().length, asked]).toEqual(['failed', 4, [undefined, 'x', 'y']]);
    pages.set('y', { items: rows('e') });
    await model.readMore();
    await model.readUpTo(10);
    expect([model.hasMore, shown()]).toEqual([false, ['a', 'b', 'c', 'd', 'e']]);
  });

  it('are changed in place when they are read again, in their order and without new ones', async () => {
    const { pages, model, rows, shown } = makeList();
    pages.set(undefined, { items: rows('a', 'b', 'c') });
    await model.read();
    const states = () => model.rows.map(({ state }) => state);
    await model.refresh(async (cursor) =>
      cursor === undefined
        ? { items: [{ id: 'new' }, { id: 'c', state: 'running' }], next: 'x' }
        : { items: [{ id: 'a', state: 'idle' }], next: 'y' },
    );
    expect([shown(), states()]).toEqual([
      ['a', 'b', 'c'],
      ['idle', undefined, 'running'],
    ]);
    await model.refresh(() => Promise.reject(new Error('no')));
    expect([model.phase, states()]).toEqual(['ready', ['idle', undefined, 'running']]);
  });

  it('stay when the list cannot be read again', async () => {
    const { pages, model, rows, shown } = makeList();
    pages.set(undefined, { items: rows('a') });
    await model.read();
    pages.set(undefined, new Error('down'));
    await model.read();
    expect([model.phase, shown()]).toEqual(['failed', ['a']]);
    pages.set(undefined, { items: rows('b') });
    await model.read();
    expect([model.phase, model.error, shown()]).toEqual(['ready', undefined, ['b']]);
  });

  it('are read again as far as they were read', async () => {
    const { pages, model, rows, shown } = makeList();
    pages.set(undefined, { items: rows('a', 'b'), next: 'x' }).set('x', { items: rows('c', 'd'), next: 'y' });
    await model.read();
    await model.readMore();
    pages.set(undefined, { items: rows('new', 'a', 'b'), next: 'x' });
    await model.read();
    expect([model.hasMore, shown()]).toEqual([true, ['new', 'a', 'b', 'c', 'd']]);
  });

  it('change in place; new ones are counted, gone ones are marked, and none moves until the list is read again', async () => {
    const { pages, model, rows, shown } = makeList();
    pages.set(undefined, { items: rows('a', 'b') });
    await model.read();
    expect(model.change('b', (row) => ({ ...row, state: 'done' }))).toBe(true);
    expect(model.change('z', (row) => row)).toBe(false);
    for (const key of ['n', 'n', 'a', 'o']) model.announce(key);
    model.remove('o');
    model.remove('a');
    expect([shown(), model.rows[1]?.state, model.freshCount, model.isGone('a')]).toEqual([['a', 'b'], 'done', 1, true]);
    pages.set(undefined, { items: rows('n', 'b') });
    await model.read();
    expect([shown(), model.freshCount, model.isGone('a')]).toEqual([['n', 'b'], 0, false]);
  });

  it('that come or change while the list is read are counted and changed after it, as the page may be older', async () => {
    const { pages, model, rows, shown } = makeList();
    pages.set(undefined, { items: rows('a', 'b') });
    const reading = model.read();
    for (const key of ['a', 'n']) model.whenRead(() => model.announce(key));
    model.whenRead(() => void model.change('b', (row) => ({ ...row, state: 'done' })));
    await reading;
    expect([shown(), model.rows[1]?.state, model.freshCount]).toEqual([['a', 'b'], 'done', 1]);
    pages.set(undefined, new Error('down'));
    const failing = model.read();
    model.whenRead(() => model.remove('a'));
    await failing;
    expect(model.isGone('a')).toBe(true);
  });
});

describe('the window of rows that are drawn', () => {
  it('holds what is in sight and a little more, and never leaves the list', () => {
    expect(findWindow(10_000, 36, 0, 360)).toEqual({ first: 0, end: 18 });
    expect(findWindow(10_000, 36, 36_000, 360)).toEqual({ first: 992, end: 1_018 });
    expect(findWindow(5, 36, 9_999, 360)).toEqual({ first: 5, end: 5 });
    expect(findWindow(0, 36, 0, 360)).toEqual({ first: 0, end: 0 });
  });
});
