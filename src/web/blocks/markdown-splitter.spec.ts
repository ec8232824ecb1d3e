import { describe, expect, it } from 'vitest';
import { MarkdownSplitter } from './markdown-splitter.js';

const split = (text: string) => new MarkdownSplitter().split(text);
const html = (text: string) =>
  split(text)
    .map((piece) => (piece.kind === 'prose' ? piece.html.trim() : piece.kind === 'code' ? piece.code : piece.text))
    .join('\n');

describe('markdown', () => {
  it('is split into prose and code', () => {
    expect(split('One\n\n```ts title="x"\nconst a = 1;\n```\n\n    indented')).toEqual([
      { kind: 'prose', html: '<p>One</p>\n' },
      { kind: 'code', code: 'const a = 1;', language: 'ts' },
      { kind: 'code', code: 'indented', language: '' },
    ]);
  });

  it.each(['>', '> ', '- ', '1. '])('that nests too deeply to be read is its source: %s', (mark) => {
    const deep = `${mark.repeat(101)}far down`;
    expect(split(`before\n${deep}`)).toEqual([{ kind: 'source', text: `before\n${deep}` }]);
    expect(split(deep.slice(mark.length))).toMatchObject([{ kind: 'prose' }]);
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
    ['- [x] done', '<ul>\n<li class="task">☑ done</li>\n</ul>'],
  ])('shows forbidden markup as text: %s', (text, expected) => {
    expect(html(text)).toBe(expected);
  });

  it.each([
    ['(~$1.50) and second thing (~$10)', '<p>(~$1.50) and second thing (~$10)</p>'],
    ['大约3~5天，价格100~200元', '<p>大约3~5天，价格100~200元</p>'],
    ['age(1~3), height(80~100)', '<p>age(1~3), height(80~100)</p>'],
    ['~~gone~~ and ~here~', '<p><del>gone</del> and ~here~</p>'],
    ['~~from 3~5 to 4~6~~', '<p><del>from 3~5 to 4~6</del></p>'],
  ])('strikes out between two tildes only: %s', (text, expected) => {
    expect(html(text)).toBe(expected);
  });

  it.each([
    ['これは**「重要」**な点です。', 'これは<strong>「重要」</strong>な点です。'],
    ['**「甲」**なので**「乙」**です。', '<strong>「甲」</strong>なので<strong>「乙」</strong>です。'],
    ['**请注意。**后面', '<strong>请注意。</strong>后面'],
    ['**缓存（cache）**来', '<strong>缓存（cache）</strong>来'],
    ['他说**“你好”**的时候', '他说<strong>“你好”</strong>的时候'],
    ['그는 **‘안녕’**이라고', '그는 <strong>‘안녕’</strong>이라고'],
    ['**캐시(cache)**를 *「甲」*です', '<strong>캐시(cache)</strong>를 <em>「甲」</em>です'],
    ['***「甲」***です', '<em><strong>「甲」</strong></em>です'],
    ['中文**(a)**和**[b]**。', '中文<strong>(a)</strong>和<strong>[b]</strong>。'],
  ])('marks up words that stand beside punctuation in CJK text: %s', (text, expected) => {
    expect(html(text)).toBe(`<p>${expected}</p>`);
  });

  it.each([
    ['**bold**, *em* and ***both***', '<strong>bold</strong>, <em>em</em> and <em><strong>both</strong></em>'],
    ['a**(b)**c', 'a**(b)**c'],
    ['** no **', '** no **'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['*a **b** c*', '<em>a <strong>b</strong> c</em>'],
    ['**a *b* c**', '<strong>a <em>b</em> c</strong>'],
    ['中文_(1)_(2)', '中文_(1)_(2)'],
    ['snake_case_name', 'snake_case_name'],
    ['**a** __b__ _c_', '<strong>a</strong> <strong>b</strong> <em>c</em>'],
  ])('marks up other text by the rules of CommonMark: %s', (text, expected) => {
    expect(html(text)).toBe(`<p>${expected}</p>`);
  });
});
