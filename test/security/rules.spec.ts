import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requirements } from '../requirements.js';

const TABLE = 'docs/security-rules.md';
const MODEL = 'docs/threat-model.md';
const read = (path: string) => readFileSync(path, 'utf8');
const ids = requirements.map(({ id }) => id).filter((id) => id.startsWith('SE-'));

/** The links of a document to files of the repository, as paths, with the anchors that they name. */
function findLinks(document: string): { readonly path: string; readonly anchor: string | undefined }[] {
  return [...read(document).matchAll(/\]\(([^)]+)\)/g)].flatMap(([, target = '']) => {
    if (/^https?:/.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    return [{ path: path === '' ? document : join(dirname(document), path), anchor }];
  });
}

describe.each([TABLE, MODEL, 'SECURITY.md'])('%s', (document) => {
  it('links to files and anchors that exist', () => {
    for (const { path, anchor } of findLinks(document)) {
      expect([path, existsSync(path)]).toEqual([path, true]);
      if (anchor !== undefined) expect(read(path)).toContain(`id="${anchor}"`);
    }
  });
});

describe('each rule of the security suite', () => {
  const rows = new Map(
    read(TABLE)
      .split('\n')
      .flatMap((line) => {
        const id = /id="se-\d\d"><\/a>(SE-\d\d) /.exec(line)?.[1];
        return id === undefined ? [] : [[id, line] as const];
      }),
  );

  it('has a row with its code and its tests, one of which is of the suite and cites it', () => {
    expect([...rows.keys()]).toEqual(ids);
    for (const [id, row] of rows) {
      const [, , , source = '', tests = ''] = row.split('|');
      expect([id, source.includes('](../src/')]).toEqual([id, true]);
      const files = [...tests.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = '']) => path);
      const citing = files.filter((path) => path.startsWith('test/security/') && read(path).includes(`[${id}]`));
      // What no secret may be in is checked after each attack, not by a test of its own.
      expect([id, citing.length > 0]).toEqual([id, true]);
    }
  });

  it('is in the threat model, beside an attacker', () => {
    const named = new Set([...read(MODEL).matchAll(/\[(SE-\d\d)\]/g)].map(([, id]) => id));
    expect(ids.filter((id) => !named.has(id))).toEqual([]);
  });
});
