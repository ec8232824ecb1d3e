/** A part of a Markdown text: code between fences, or the text around it. */
export interface FencedPart {
  readonly isCode: boolean;
  readonly text: string;
}

/** Splits a Markdown text at its fences. A fence that is not closed reaches to the end, as while an answer grows. */
export function splitAtFences(text: string): readonly FencedPart[] {
  const parts: { isCode: boolean; lines: string[] }[] = [{ isCode: false, lines: [] }];
  let fence = '';
  for (const line of text.split('\n')) {
    const [, mark = ''] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
    const closes = fence !== '' && mark.startsWith(fence) && line.trim() === mark;
    if (closes || (fence === '' && mark !== '')) {
      fence = closes ? '' : mark;
      parts.push({ isCode: !closes, lines: [] });
    } else parts.at(-1)?.lines.push(line);
  }
  return parts
    .map(({ isCode, lines }) => ({ isCode, text: lines.join('\n') }))
    .filter((part) => part.text.trim() !== '');
}
