let resized: ResizeObserver | undefined;

/**
 * For the directive `ref`: makes an element that scrolls a stop of the Tab key while a part of its content is out of
 * sight, so that it can be scrolled by keyboard. Where all is in sight it would be a stop for nothing.
 */
export function tabStop(element: Element | undefined): void {
  resized ??= new ResizeObserver(judge);
  if (element) resized.observe(element);
}

function judge(entries: readonly ResizeObserverEntry[]): void {
  const seen = entries.map(({ target }) => [target, isCut(target)] as const);
  for (const [element, isStop] of seen) {
    if (isStop) element.setAttribute('tabindex', '0');
    else element.removeAttribute('tabindex');
  }
}

function isCut({ scrollWidth, clientWidth, scrollHeight, clientHeight }: Element): boolean {
  return scrollWidth > clientWidth || scrollHeight > clientHeight;
}
