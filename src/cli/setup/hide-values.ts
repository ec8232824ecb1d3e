import { isAlias, isMap, isScalar, isSeq, type Document } from 'yaml';
import { parseSettings } from '../../core/config/settings-document.js';
import { composeSettings } from '../../settings.js';

/** What stands for a secret. */
const HIDDEN = '***';
/** Names of settings that no part of the gateway describes; their values may be secret. */
const SUSPECT = /token|key|secret|passw|credential/i;

type Range = readonly [start: number, end: number];

/** The schema of a value and of its parts. */
interface PartSchema {
  readonly 'x-secret'?: boolean;
  readonly properties?: Readonly<Record<string, PartSchema>>;
  readonly patternProperties?: Readonly<Record<string, PartSchema>>;
  readonly items?: PartSchema;
}

/** Returns the text of a settings file with `***` in place of its secrets. @param text valid YAML */
export function hideSecretValues(text: string): string {
  const document = parseSettings(text);
  const schemas = new Map(composeSettings().rows.map(({ key, schema }) => [key, schema as PartSchema]));
  const ranges = listSecrets(document, document.contents, { path: '', schema: undefined, isSecret: false }, schemas);
  return ranges
    .toSorted(([one], [other]) => other - one)
    .reduce((hidden, [start, end]) => {
      const lineEnd = hidden[end - 1] === '\n' ? '\n' : '';
      return `${hidden.slice(0, start)}${HIDDEN}${lineEnd}${hidden.slice(end)}`;
    }, text);
}

/** Where a value stands in the settings. */
interface Place {
  /** Dotted; empty for the whole file. */
  readonly path: string;
  /** Undefined above the settings, and where no part of the gateway describes the value. */
  readonly schema: PartSchema | undefined;
  readonly isSecret: boolean;
}

function listSecrets(
  document: Document,
  node: unknown,
  place: Place,
  schemas: ReadonlyMap<string, PartSchema>,
): readonly Range[] {
  if (isAlias(node)) return listSecrets(document, node.resolve(document), place, schemas);
  if (isScalar(node)) return place.isSecret && node.range ? [[node.range[0], node.range[1]]] : [];
  if (isSeq(node)) {
    const schema = place.schema?.items;
    const inner = { ...place, schema, isSecret: place.isSecret || schema?.['x-secret'] === true };
    return node.items.flatMap((item) => listSecrets(document, item, inner, schemas));
  }
  if (!isMap(node)) return [];
  return node.items.flatMap(({ key, value }) =>
    listSecrets(document, value, enter(place, String(isScalar(key) ? key.value : key), schemas), schemas),
  );
}

function enter(place: Place, name: string, schemas: ReadonlyMap<string, PartSchema>): Place {
  const path = place.path === '' ? name : `${place.path}.${name}`;
  const { properties = {}, patternProperties = {} } = place.schema ?? {};
  const ofPart = Object.hasOwn(properties, name) ? properties[name] : Object.values(patternProperties)[0];
  const schema = ofPart ?? schemas.get(path);
  const isSecret = place.isSecret || schema?.['x-secret'] === true || (schema === undefined && SUSPECT.test(name));
  return { path, schema, isSecret };
}
