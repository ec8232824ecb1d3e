import { describe, expect, it } from 'vitest';
import { MarkdownSplitter } from './markdown-splitter.js';

const split = (text: string) => new MarkdownSplitter().split(text);
const html = (text: string) =>
  split(text)
    .map((piece) => (piece.kind === 'prose' ? piece.html.trim() : piece.code))
    .join('\n');

describe('markdown', () => {
  it('is split into prose and code', () => {
    expect(split('One\n\n```ts title="x"\nconst a = 1;\n```\n\n    indented')).toEqual([
      { kind: 'prose', html: '<p>One</p>\n' },
      { kind: 'code', code: 'const a = 1;', language: 'ts' },
      { kind: 'code', code: 'indented', language: '' },
    ]);
  });

  it('that grows is rendered again only at its end', () => {
    const splitter = new MarkdownSplitter();
    const before = splitter.split('One\n\nTwo');
    const after = splitter.split('One\n\nTwo and a half');
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
  });

  it('becomes a link when its definition arrives last', () => {
    const splitter = new MarkdownSplitter();
    expect(splitter.split('See [it]')[0]).toEqual({ kind: 'prose', html: '<p>See [it]</p>\n' });
    expect(splitter.split('See [it]\n\n[it]: https://example.org')[0]).toMatchObject({
      html: expect.stringContaining('href="https://example.org"') as string,
    });
  });

  it.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['a <b onclick="x">b</b>', '<p>a &lt;b onclick=&quot;x&quot;&gt;b</b></p>'],
    ['H<sub>2</sub>O<br>', '<p>H<sub>2</sub>O<br></p>'],
    ['[x](javascript:alert(1))', '<p>x (javascript:alert(1))</p>'],
    ['[x](/admin)', '<p>x (/admin)</p>'],
    ['[x](https://e.org/"><img>)', '<p><a href="https://e.org/&quot;&gt;&lt;img&gt;">x</a></p>'],
    ['![far](https://e.org/x.png)', '<p><a href="https://e.org/x.png">far</a></p>'],
    ['![odd](javascript:x)', '<p>odd</p>'],
    ['![near](data:image/png;base64,AAAA)', '<p><img src="data:image/png;base64,AAAA" alt="near"></p>'],
    ['![page](data:text/html;base64,AAAA)', '<p>page</p>'],
    ['- [x] done', '<ul>\n<li>☑ done</li>\n</ul>'],
  ])('shows forbidden markup as text: %s', (text, expected) => {
    expect(html(text)).toBe(expected);
  });
});
