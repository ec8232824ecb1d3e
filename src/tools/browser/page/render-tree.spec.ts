import { describe, expect, it } from 'vitest';
import { readTree } from './page-tree.js';
import { renderTree } from './render-tree.js';

const tree = (children: readonly unknown[]) => readTree(children, (text) => text);

describe('a page as lines', () => {
  it('[U-09] stays near its budget, whatever its parts are', () => {
    const text = 'x'.repeat(1_000);
    for (const part of [text, { role: 'paragraph', text, ref: 'e1' }, { role: 'heading', name: text, ref: 'e1' }]) {
      const lines = renderTree(tree(Array.from({ length: 2_000 }, () => part)), 24_000);
      expect(lines.join('\n').length).toBeLessThan(30_000);
      expect(lines.at(-1)).toMatch(/^- \(\d+ more items are left out\)$/);
    }
  });

  it('[U-09] has short parts whole beside long ones', () => {
    const lines = renderTree(
      tree([
        { role: 'link', name: 'Next', ref: 'e2' },
        { role: 'paragraph', text: 'y'.repeat(400) },
      ]),
      200,
    );
    expect(lines[0]).toBe('- link "Next" [ref=e2]');
    expect(lines[1]).toMatch(/^- paragraph : "y{40,}\.\.\. \(400 characters\)"$/);
  });
});
