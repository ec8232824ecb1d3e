/** What Discord takes for markup, in the order in which it looks for it. */
const TOKEN =
  /(?<fence>```(?:[\w+#.-]*\n)?(?<block>[\s\S]*?)\n?```)|(?<ticks>`+)(?<code>[^`][\s\S]*?[^`]|[^`])\k<ticks>(?!`)|\\(?<escaped>[^\p{L}\p{N}\s])|\[(?<label>(?:\\.|[^[\]\\])*)\]\((?<href>https?:[^\s()]+)\)|(?<url>https?:\/\/[^\s<>\\*~|]*[^\s<>\\*~_|)])|(?<mark>\*+|_{1,2}|~~|\|\|)|(?<text>[\s\S])/gu;

/** Reads text as Discord shows it: `fault` when a mark has no counterpart, else the text that people see. */
export function parseDiscord(markdown: string): { readonly text: string } | { readonly fault: string } {
  const open: string[] = [];
  let text = '';
  for (const { groups = {} } of markdown.replaceAll(/^(> |-# |#{1,3} )+/gm, '').matchAll(TOKEN)) {
    const { fence, block, code, escaped, label, url, mark, text: plain } = groups;
    if (plain === '`') return { fault: 'a backtick without its counterpart' };
    if (fence !== undefined) text += block ?? '';
    else if (label !== undefined) {
      const inner = parseDiscord(label);
      if ('fault' in inner) return inner;
      text += inner.text;
    } else if (mark === undefined) text += code ?? escaped ?? url ?? plain ?? '';
    else for (let rest = mark; rest !== ''; rest = rest.slice(toggle(open, rest).length));
  }
  return open.length === 0 ? { text } : { fault: `${open.join(' ')} without counterpart` };
}

/** Closes what is open, or opens what is not. Returns the mark. */
function toggle(open: string[], run: string): string {
  if (!run.startsWith('*')) return open.at(-1) === run ? open.pop()! : (open.push(run), run);
  const last = open.at(-1);
  if ((last === '**' && run.length >= 2) || last === '*') return open.pop()!;
  const mark = run.length >= 2 && !open.includes('**') ? '**' : '*';
  open.push(mark);
  return mark;
}
