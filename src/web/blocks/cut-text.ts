/**
 * Cuts a text into parts of at most `size` UTF-16 units, each after the last line break in its second half where there is
 * one. No part ends within a surrogate pair.
 */
export function cutText(text: string, size: number): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length;) {
    const to = from + size >= text.length ? text.length : findCut(text, from, size);
    parts.push(text.slice(from, to));
    from = to;
  }
  return parts;
}

function findCut(text: string, from: number, size: number): number {
  const most = from + size;
  const line = text.lastIndexOf('\n', most - 1) + 1;
  if (line > from + size / 2) return line;
  const isPair = /[\ud800-\udbff]/.test(text[most - 1] ?? '');
  return isPair ? most - 1 : most;
}

/**
 * Returns the start of a Markdown text, at most `size` UTF-16 units: up to the last blank line that is not within code,
 * else up to a line break, else as much as is allowed.
 */
export function cutMarkdown(text: string, size: number): string {
  if (text.length <= size) return text;
  for (let end = text.lastIndexOf('\n\n', size - 2); end > size / 2; end = text.lastIndexOf('\n\n', end - 1)) {
    const start = text.slice(0, end + 2);
    const fences = start.match(/^ {0,3}(?:```|~~~)/gm)?.length ?? 0;
    if (fences % 2 === 0) return start;
  }
  return cutText(text.slice(0, size + 1), size)[0] ?? '';
}
