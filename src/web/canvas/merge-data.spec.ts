import { describe, expect, it } from 'vitest';
import { mergeData } from './merge-data.js';

describe('the data of a surface after a change by the agent', () => {
  it('[Y-10] keeps what the person has changed, and takes what the agent has', () => {
    const base = { name: '', count: 1, list: [{ done: false }, { done: false }], gone: 1 };
    const local = { name: 'Ada', count: 1, list: [{ done: true }, { done: false }], gone: 1 };
    const next = { name: '', count: 2, list: [{ done: false }, { done: false }], more: true };
    expect(mergeData(base, next, local)).toEqual({
      name: 'Ada',
      count: 2,
      list: [{ done: true }, { done: false }],
      more: true,
    });
  });

  it('[Y-10] takes the value of the agent where both have changed it, but in the field with the focus', () => {
    const [base, next, local] = [{ a: { b: 1, c: 1 } }, { a: { b: 2, c: 2 } }, { a: { b: 3, c: 3 } }];
    expect(mergeData(base, next, local)).toEqual({ a: { b: 2, c: 2 } });
    expect(mergeData(base, next, local, ['a', 'b'])).toEqual({ a: { b: 3, c: 2 } });
  });

  it('[Y-10] replaces a list to which the agent has added something', () => {
    const base = { list: ['a'] };
    expect(mergeData(base, { list: ['a', 'b'] }, { list: ['x'] })).toEqual({ list: ['a', 'b'] });
    expect(mergeData(base, { list: ['a'] }, { list: ['x', 'y'] })).toEqual({ list: ['x', 'y'] });
  });
});
