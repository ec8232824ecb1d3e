import { realpathSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import type { TSchema } from 'typebox';
import type { Scope } from '../../protocol/domain.js';
import type { SettingFault } from './section.js';
import type { SettingRow } from './settings-schema.js';

/** The schema of a value within a setting, with the annotations that count there. */
type PartSchema = TSchema & {
  readonly properties?: Readonly<Record<string, PartSchema>>;
  readonly patternProperties?: Readonly<Record<string, PartSchema>>;
  readonly 'x-scope'?: Scope;
  readonly 'x-path'?: boolean;
};

/** A value within a setting that a change sets, changes or removes. */
export interface ChangedPart {
  /** The names that lead to it; empty for the whole setting. */
  readonly path: readonly string[];
  readonly schema: TSchema;
  /** Undefined if it is removed. */
  readonly value: unknown;
  /** The scope that may change it: the innermost `x-scope` around it, by default `config:write`. */
  readonly scope: Scope;
}

/** Returns the names that lead from `outer` to the part of it that `key` names. */
export function pathOf(key: string, outer: string): readonly string[] {
  return key === outer ? [] : key.slice(outer.length + 1).split('.');
}

/** Returns the value at `path` within `value`; undefined if there is none. */
export function getPart(value: unknown, path: readonly string[]): unknown {
  return path.reduce((map, name) => (isMap(map) && Object.hasOwn(map, name) ? map[name] : undefined), value);
}

/** Returns a copy of `value` with `part` at `path`, or without that place if `part` is undefined. */
export function setPart(value: unknown, path: readonly string[], part: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return part;
  const others = Object.entries(isMap(value) ? value : {}).filter(([other]) => other !== name);
  const inner = setPart(getPart(value, [name]), rest, part);
  return Object.fromEntries(inner === undefined ? others : [...others, [name, inner]]);
}

/** Returns the schema at `path` within `schema`; an empty one for a name that it does not know. */
export function findPartSchema(schema: TSchema, path: readonly string[]): SettingRow['schema'] {
  return path.reduce((outer: PartSchema, name) => schemaOf(outer, name) ?? {}, schema);
}

/** Lists the parts in which two values of a setting differ, compared field by field within its maps. */
export function listChangedParts(schema: TSchema, before: unknown, after: unknown): ChangedPart[] {
  return compare({ path: [], schema, value: after, scope: 'config:write' }, before);
}

/**
 * Finds paths of files (`x-path`) that a change adds and that do not lie below the folder of the settings, links followed,
 * or that are or hold a file with secrets.
 */
export function findPathFaults(
  { key, schema }: { readonly key: string; readonly schema: TSchema },
  before: unknown,
  after: unknown,
  { folder, privateFiles }: { readonly folder: string; readonly privateFiles: readonly string[] },
): SettingFault[] {
  const root = findRealPath(folder);
  return listChangedParts(schema, before, after).flatMap((part) => {
    if (!(part.schema as PartSchema)['x-path'] || !Array.isArray(part.value)) return [];
    const known = getPart(before, part.path);
    const added = (part.value as string[]).filter((path) => !Array.isArray(known) || !known.includes(path));
    const place = [key, ...part.path].join('.');
    return added.flatMap((path): SettingFault[] => {
      const real = findRealPath(resolve(folder, path));
      if (!isBelow(folder, resolve(folder, path)) || !isBelow(root, real))
        return [
          {
            key: place,
            message: `"${path}" is outside of the folder of the settings, ${folder}; a change at run time may name what is below it only`,
          },
        ];
      const isPrivate = privateFiles.map(findRealPath).some((file) => file === real || isBelow(real, file));
      return isPrivate ? [{ key: place, message: `"${path}" holds settings or secrets, which no agent may read` }] : [];
    });
  });
}

/** Returns a path without links; the path itself if there is no such file. */
function findRealPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
}

function compare(part: ChangedPart, before: unknown): ChangedPart[] {
  const { path, value: after } = part;
  const schema: PartSchema = part.schema;
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const scope = schema['x-scope'] ?? part.scope;
  const [from, to] = [before ?? {}, after ?? {}];
  const isWhole = !(schema.properties ?? schema.patternProperties) || !isMap(from) || !isMap(to);
  if (isWhole) return [{ ...part, scope }];
  const inner = [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((name) =>
    compare(
      {
        path: [...path, name],
        schema: schemaOf(schema, name) ?? {},
        value: Object.hasOwn(to, name) ? to[name] : undefined,
        scope,
      },
      Object.hasOwn(from, name) ? from[name] : undefined,
    ),
  );
  return inner.length > 0 ? inner : [{ ...part, scope }];
}

function schemaOf({ properties = {}, patternProperties = {} }: PartSchema, name: string): PartSchema | undefined {
  // The values of a map have one schema.
  return Object.hasOwn(properties, name) ? properties[name] : Object.values(patternProperties)[0];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
