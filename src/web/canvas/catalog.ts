import { basicCatalog } from '@a2ui/lit/v0_9';
import { Catalog, createFunctionImplementation, OpenUrlApi, RegexApi } from '@a2ui/web_core/v0_9';
import { fields } from './components/fields.js';
import { icon } from './components/icon.js';
import { media } from './components/media.js';
import { places } from './components/places.js';

/** The longest value that a regular expression is tested against, in UTF-16 units: its time grows with a power of it. */
const MAX_TESTED = 256;

/**
 * Returns the components and functions of A2UI, of which some act as the page needs it.
 * @param openLink asks the person before an address is opened
 */
export function buildCatalog(openLink: (address: string) => void): typeof basicCatalog {
  const regex = createFunctionImplementation(RegexApi, ({ value, pattern }) => {
    return value.length <= MAX_TESTED && new RegExp(pattern).test(value);
  });
  const openUrl = createFunctionImplementation(OpenUrlApi, ({ url }) => openLink(url));
  const functions = new Map(basicCatalog.functions);
  for (const own of [regex, openUrl]) functions.set(own.name, own);
  const components = new Map(basicCatalog.components);
  for (const own of [...fields, ...places, ...media, icon]) components.set(own.name, own);
  return new Catalog(basicCatalog.id, [...components.values()], [...functions.values()]);
}
