/** The tags of `parse_mode: HTML`. */
const TAGS = new Set(['b', 'strong', 'i', 'em', 'u', 's', 'del', 'a', 'code', 'pre', 'blockquote', 'tg-spoiler']);
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };

const TOKEN =
  /<(?<close>\/?)(?<tag>[a-z-]+)(?<attributes>(?: [a-z]+="[^"<>]*")*)>|&(?<entity>[a-z]+);|(?<text>[^<&]+)|(?<odd>[<&])/gy;

/** Parses text as Telegram does: `fault` when it refuses it, else the text that people see. */
export function parseHtml(html: string): { readonly text: string } | { readonly fault: string } {
  const open: string[] = [];
  let text = '';
  for (const { groups = {}, index } of html.matchAll(TOKEN)) {
    const { close, tag, entity, text: plain, odd } = groups;
    if (odd !== undefined) return { fault: `unexpected ${odd} at byte offset ${index}` };
    if (plain !== undefined) text += plain;
    if (entity !== undefined) {
      const character = ENTITIES[entity];
      if (character === undefined) return { fault: `unknown entity ${entity}` };
      text += character;
    }
    if (tag === undefined) continue;
    if (!TAGS.has(tag)) return { fault: `unsupported start tag "${tag}" at byte offset ${index}` };
    if (close === '/' && open.pop() !== tag) return { fault: `unmatched end tag at byte offset ${index}` };
    if (close === '/') continue;
    const fault = findNestingFault(open, tag);
    if (fault !== undefined) return { fault };
    open.push(tag);
  }
  return open.length > 0 ? { fault: `can't find end tag corresponding to start tag "${open.at(-1)}"` } : { text };
}

function findNestingFault(open: readonly string[], tag: string): string | undefined {
  const within = open.at(-1);
  if (within === 'code' || (within === 'pre' && tag !== 'code')) return `"${tag}" within "${within}"`;
  return open.includes(tag) ? `"${tag}" within itself` : undefined;
}
