import { describe, expect, it } from 'vitest';
import { ToolNames } from './tool-names.js';

const ACCEPTED = /^[A-Za-z0-9_-]{1,64}$/;

describe('the names of tools', () => {
  it('[R-07] are accepted by every provider and map back to the tool', () => {
    const names = ['time.now', 'mcp__files__read', `node.${'x'.repeat(120)}`, `node.${'x'.repeat(119)}y`];
    const map = new ToolNames(names);
    const encoded = names.map((name) => map.encode(name));
    expect(encoded.every((name) => ACCEPTED.test(name))).toBe(true);
    expect(encoded.slice(0, 2)).toEqual(['time_now', 'mcp__files__read']);
    expect(encoded.map((name) => map.decode(name))).toEqual(names);
  });

  it('[R-07] never map to another tool, however similar they are', () => {
    for (const names of [
      ['a.b', 'a_b'],
      ['a_b', 'a.b'],
      ['a.b_c', 'a_b.c', 'a.b.c'],
    ]) {
      const map = new ToolNames(names);
      expect(new Set(names.map((name) => map.encode(name))).size).toBe(names.length);
      expect(names.map((name) => map.decode(map.encode(name)))).toEqual(names);
    }
    expect(new ToolNames(['a.b', 'a_b']).encode('a_b')).toBe('a_b');
  });

  it('[R-07] that were never sent map to no tool', () => {
    const map = new ToolNames(['time.now']);
    expect(map.decode('rm_rf')).toBe('rm_rf');
    expect(map.encode('gone.tool')).toMatch(ACCEPTED);
  });
});
