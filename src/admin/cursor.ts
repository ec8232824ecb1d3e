import { hash } from 'node:crypto';
import { GatewayError } from '../protocol/index.js';

/** Characters of the check of a cursor. It recognises mistakes; a cursor gives no rights. */
const CHECK_LENGTH = 12;

/**
 * Returns the cursor of a list: where its next page begins, with a check of that and of what selects its items.
 * @param value of the last item, by which the list is sorted
 * @param filters all that selects items, with the tenant of the caller
 */
export function writeCursor(value: number, filters: object): string {
  return `${value}.${checkOf(value, filters)}`;
}

/**
 * Returns the value in a cursor; undefined for none.
 * @throws GatewayError INVALID_PAYLOAD for one that was changed, or made with other filters or by another tenant
 */
export function readCursor(cursor: string | undefined, filters: object): number | undefined {
  if (cursor === undefined) return undefined;
  const value = Number(/^(\d{1,15})\./.exec(cursor)?.[1] ?? Number.NaN);
  if (writeCursor(value, filters) === cursor) return value;
  const message = 'is not the `next` of a page of this list with these filters';
  throw new GatewayError('INVALID_PAYLOAD', { faults: [{ pointer: '/cursor', message }] });
}

function checkOf(value: number, filters: object): string {
  return hash('sha256', JSON.stringify([value, filters]), 'base64url').slice(0, CHECK_LENGTH);
}
