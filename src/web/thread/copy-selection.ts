import { restoreSources, SOURCE } from '../blocks/source-text.js';

/** Copies a selection with drawn formulas as the text that was written, in place of the browser's own copy. */
export function copySelection(event: ClipboardEvent): void {
  const selection = getSelection();
  if (!event.clipboardData || !selection || selection.rangeCount === 0) return;
  const selected = selection.getRangeAt(0).cloneContents();
  if (!selected.querySelector(`[${SOURCE}]`)) return;
  restoreSources(selected);
  // Off the page, `innerText` would not know where lines end.
  const box = document.createElement('div');
  box.className = 'visually-hidden text';
  box.append(selected);
  document.body.append(box);
  event.clipboardData.setData('text/plain', box.innerText);
  event.clipboardData.setData('text/html', box.innerHTML);
  box.remove();
  event.preventDefault();
}
