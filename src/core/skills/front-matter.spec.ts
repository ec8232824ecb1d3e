import { describe, expect, it } from 'vitest';
import { readFrontMatter } from './front-matter.js';

const skill = (yaml: string, body = '# How\n') => `---\n${yaml}\n---\n${body}`;
const MINIMAL = 'name: pdf-forms\ndescription: Fills in forms.';

describe('the front matter of a skill', () => {
  it('has a name and a description, and optional fields', () => {
    expect(readFrontMatter(skill(MINIMAL))).toEqual({
      name: 'pdf-forms',
      description: 'Fills in forms.',
      allowedTools: [],
    });
    const full = `${MINIMAL}\nlicense: MIT\ncompatibility: needs git\nmetadata:\n  author: ann\nallowed-tools: Bash(git:*) Read\nother: 7`;
    expect(readFrontMatter(skill(full))).toMatchObject({
      license: 'MIT',
      compatibility: 'needs git',
      metadata: { author: 'ann' },
      allowedTools: ['Bash(git:*)', 'Read'],
    });
    expect(readFrontMatter(skill(`${MINIMAL}\nallowed-tools: [Read, Write]`)).allowedTools).toEqual(['Read', 'Write']);
  });

  it('may begin with a byte order mark, have CRLF, and be all of the file', () => {
    expect(readFrontMatter(`\uFEFF${skill(MINIMAL).replaceAll('\n', '\r\n')}`).name).toBe('pdf-forms');
    expect(readFrontMatter(`---\n${MINIMAL}\n---`).name).toBe('pdf-forms');
    expect(readFrontMatter(skill('name: a\ndescription: |\n  one\n  two')).description).toBe('one\ntwo');
  });

  it.each([
    ['no front matter', '# Title\n', /no front matter/],
    ['front matter that does not end', `---\n${MINIMAL}\n`, /no front matter/],
    ['front matter after a text', `x\n${skill(MINIMAL)}`, /no front matter/],
    ['a list', skill('- a\n- b'), /must be a map/],
    ['nothing', skill(''), /must be a map/],
    ['broken YAML', skill('name: [a'), /not YAML/],
    ['a key twice', skill(`${MINIMAL}\nname: b`), /not YAML/],
    ['no name', skill('description: x'), /name must be/],
    ['no description', skill('name: a'), /description must be/],
    ['an empty description', skill('name: a\ndescription: "  "'), /description must be/],
    ['a long description', skill(`name: a\ndescription: ${'x'.repeat(1_025)}`), /description must be/],
    ['a long compatibility', skill(`${MINIMAL}\ncompatibility: ${'x'.repeat(501)}`), /compatibility must be/],
    ['metadata that is not a map', skill(`${MINIMAL}\nmetadata: 7`), /metadata must be a map/],
    ['tools that are not texts', skill(`${MINIMAL}\nallowed-tools: [7]`), /allowed-tools must be/],
    ...['Upper', '-a', 'a-', 'a--b', 'a_b', 'a b', 'ä', 'a'.repeat(65)].map(
      (name) => [`the name ${name}`, skill(`name: "${name}"\ndescription: x`), /name must be/] as const,
    ),
  ] as const)('is refused with %s', (_what, text, message) => {
    expect(() => readFrontMatter(text)).toThrow(message);
  });

  it('takes a description of 1,024 characters of any size', () => {
    expect(readFrontMatter(skill(`name: a\ndescription: ${'😀'.repeat(1_024)}`)).description).toHaveLength(2_048);
  });

  it.each([
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h']
        .map(
          (name, i) =>
            `${name}: &${name} [${Array(9)
              .fill(`*${String.fromCharCode(97 + i)}`)
              .join(',')}]`,
        )
        .join('\n')}\n${MINIMAL}`,
    ],
    ['one alias', `${MINIMAL}\nmetadata: &m {a: b}\nx: *m`],
    ['deep lists', `${MINIMAL}\nx: ${'['.repeat(5_000)}${']'.repeat(5_000)}`],
    ['deep maps', `${MINIMAL}\nx: ${'{a: '.repeat(3_000)}1${'}'.repeat(3_000)}`],
    ['deep sequences', `${MINIMAL}\nx:\n  ${'- '.repeat(6_000)}a`],
    ['a long text', `${MINIMAL}\nx: ${'y'.repeat(60_000)}`],
  ])('that is a bomb (%s) is refused before it grows', (_what, yaml) => {
    expect(() => readFrontMatter(skill(yaml))).toThrow();
  });
});
