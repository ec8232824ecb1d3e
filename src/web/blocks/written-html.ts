import { MarkdownSplitter } from './markdown-splitter.js';
import { sanitise } from './sanitise.js';

/** Returns a Markdown text as HTML that another program may take: sanitised, without elements of this page. */
export function writeHtml(markdown: string): string {
  const box = document.createElement('div');
  for (const piece of new MarkdownSplitter().split(markdown)) {
    if (piece.kind === 'prose') {
      box.append(sanitise(piece.html));
      continue;
    }
    const code = document.createElement('code');
    code.textContent = piece.kind === 'code' ? piece.code : piece.text;
    const pre = document.createElement('pre');
    pre.append(code);
    box.append(pre);
  }
  return box.innerHTML;
}
