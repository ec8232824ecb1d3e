/** Text of anybody as text that is safe to show and to store: what steers a terminal and what is no Unicode is replaced. */
export function toPlainText(text: string): string {
  return text.toWellFormed().replaceAll(/[^\P{Cc}\n\t]/gu, (control) => (control === '\r' ? '' : '\uFFFD'));
}
