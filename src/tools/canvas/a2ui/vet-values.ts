import { A2uiFault, isRecord } from './fault.js';
import { findPatternFault } from './pattern.js';

const OWN_MEDIA = /^\/?media\/f_[0-9a-f-]{36}$/;
const WEB_ADDRESS = /^https?:\/\/[^\s]+$/i;
/** Returns the file of the gateway that a component shows; undefined if there is none. */
export function readMediaId({ url }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof url === 'string' && OWN_MEDIA.test(url) ? url.replace(/^.*\//, '') : undefined;
}

/** Properties that are regular expressions. */
const PATTERNS = new Set(['pattern', 'validationRegexp']);
/** Properties that are addresses. */
const ADDRESSES = new Set(['url', 'iconUrl']);
/** Components whose address a client loads. It shows nothing of other servers. */
const SHOWN = new Set(['Image', 'Video', 'AudioPlayer']);

/**
 * Checks the parts of a component that its schema says nothing about: regular expressions, and addresses.
 * @returns warnings
 * @throws A2uiFault
 */
export function vetValues(component: Readonly<Record<string, unknown>>, path: string): string[] {
  visit(component, path);
  const { component: name, url, options, min, max } = component;
  if (name === 'ChoicePicker' && (options === undefined || (Array.isArray(options) && options.length === 0)))
    return [`${path} has no options, so there is nothing to choose`];
  if (name === 'Slider' && typeof min === 'number' && typeof max === 'number' && min >= max)
    return [`${path} has a min that is not below its max, so it cannot be moved`];
  const isForeign = SHOWN.has(String(name)) && typeof url === 'string' && !OWN_MEDIA.test(url);
  return isForeign
    ? [
        `${path}/url is not shown: clients load nothing from other servers. Use /media/MEDIA_ID of a file of this conversation`,
      ]
    : [];
}

function visit(value: unknown, path: string): void {
  if (Array.isArray(value)) value.forEach((part, i) => visit(part, `${path}/${i}`));
  else if (isRecord(value))
    for (const [key, part] of Object.entries(value)) {
      if (typeof part === 'string') vet(key, part, `${path}/${key}`);
      else visit(part, `${path}/${key}`);
    }
}

function vet(key: string, value: string, path: string): void {
  const fault = PATTERNS.has(key) ? findPatternFault(value) : undefined;
  if (fault !== undefined) throw new A2uiFault(path, fault);
  if (ADDRESSES.has(key) && !WEB_ADDRESS.test(value) && !OWN_MEDIA.test(value))
    throw new A2uiFault(path, 'must be an address of http or https, or /media/MEDIA_ID');
}
