import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { requirements } from './requirements.js';

/** Returns the ids that tests cite, each with the files. */
function findCitations(): Map<string, string[]> {
  const citations = new Map<string, string[]>();
  const files = globSync(['src/**/*.{spec,contract}.ts', 'test/**/*.spec.ts', 'test/**/*.e2e-spec.ts']).filter(
    (file) => !file.endsWith('requirements.spec.ts'),
  );
  for (const file of files) {
    for (const [, id = ''] of readFileSync(file, 'utf8').matchAll(/\[([A-Z]{1,2}-\d{2})\]/g)) {
      citations.set(id, [...(citations.get(id) ?? []), file]);
    }
  }
  return citations;
}

describe('the promises of the specification', () => {
  const ids = requirements.map(({ id }) => id);

  it('have a unique id each', () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[A-Z]{1,2}-\d{2}$/.test(id))).toEqual([]);
  });

  it('are sentences', () => {
    expect(requirements.filter(({ sentence }) => !/^\S.*\.$/.test(sentence)).map(({ id }) => id)).toEqual([]);
  });

  it('are each cited by a test', () => {
    const citations = findCitations();
    expect(ids.filter((id) => !citations.has(id))).toEqual([]);
  });

  it('include every id that a test cites', () => {
    expect([...findCitations()].filter(([id]) => !ids.includes(id))).toEqual([]);
  });
});
