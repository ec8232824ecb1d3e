const PLACES = 'input:not([type=checkbox]), textarea, select, dialog, [role=menu]';

/**
 * Returns true for an element in a field, an open menu or a dialog. A person types or chooses there: keys without a modifier
 * belong to it, and the page does not move the focus away.
 */
export function isInUse(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(PLACES) !== null;
}
