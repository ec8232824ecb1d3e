/** Copies a text. Returns false when the browser does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** Copies a text together with the same as HTML, for programs that keep formatting. Returns false like {@link copyText}. */
export async function copyRich(text: string, html: string): Promise<boolean> {
  try {
    const part = (type: string, content: string) => [type, new Blob([content], { type })] as const;
    const item = new ClipboardItem(Object.fromEntries([part('text/plain', text), part('text/html', html)]));
    await navigator.clipboard.write([item]);
    return true;
  } catch {
    return copyText(text);
  }
}

/** Copies by selecting text, which also works on pages not served over a secure connection. */
function copyBySelection(text: string): boolean {
  const { activeElement } = document;
  const area = document.createElement('textarea');
  area.className = 'visually-hidden';
  area.value = text;
  document.body.append(area);
  area.select();
  // oxlint-disable-next-line typescript/no-deprecated -- there is no other way on such pages
  const isCopied = document.execCommand('copy');
  area.remove();
  if (activeElement instanceof HTMLElement) activeElement.focus();
  return isCopied;
}
