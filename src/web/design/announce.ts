/** Time after which a text is put into the region: readers notice only changes of a region that they know. */
const SETTLE_MS = 100;

let region: HTMLElement | undefined;

/** Makes screen readers read a short text, for example the outcome of a press that only changes the button. */
export function announce(text: string): void {
  const known = (region ??= addRegion());
  known.textContent = '';
  setTimeout(() => (known.textContent = text), SETTLE_MS);
}

function addRegion(): HTMLElement {
  const element = document.createElement('p');
  element.className = 'visually-hidden';
  element.setAttribute('role', 'status');
  document.body.append(element);
  return element;
}
