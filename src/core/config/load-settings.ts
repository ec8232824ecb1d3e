import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { SettingsError, type Environment, type SecretFileReader, type SettingFault, type Settings } from './section.js';
import { describeAllowed, findFault, parseText } from './setting-values.js';
import { parseSettings } from './settings-document.js';
import type { SettingRow, SettingsSchema } from './settings-schema.js';
import { suggest } from './suggest.js';

/** Sources of values, in ascending precedence. */
export const SETTING_SOURCES = ['default', 'file', 'environment', 'run time', 'command line'] as const;
export type SettingSource = (typeof SETTING_SOURCES)[number];

export interface LoadedSettings {
  readonly schema: SettingsSchema;
  /** Values by dotted key. */
  readonly values: Readonly<Settings>;
  readonly sources: ReadonlyMap<string, SettingSource>;
  /** Harmless oddities, to be logged once. */
  readonly warnings: readonly string[];
  /** The folder of the settings file, or where it would be. Relative paths in settings count from it. */
  readonly folder: string;
  /** Files with settings or secrets: the settings file, `.env`, and those that variables `*_FILE` name. */
  readonly privateFiles: readonly string[];
  /** Those that variables `*_FILE` name. */
  readonly secretFiles: readonly string[];
  /** Loads again, with what the files of `paths` say now, and what the others said before. @throws SettingsError with every fault */
  readonly readAgain: (paths: readonly string[]) => LoadedSettings;
  /** Keys of changes at run time that the start removes from the store. */
  readonly unset?: readonly string[];
}

/** The sources of settings before they are checked against a schema. */
export interface SettingsInput {
  /** The environment, including `.env`. */
  readonly environment: Environment;
  /** Values from the command line, by dotted key. */
  readonly overrides: Readonly<Record<string, unknown>>;
  /** The parsed settings file. */
  readonly document: unknown;
  /** Its folder, or where it would be. */
  readonly folder: string;
  /** Files with settings or secrets. */
  readonly privateFiles: readonly string[];
  /** Those that variables `*_FILE` name. */
  readonly secretFiles: readonly string[];
  readonly faults: readonly SettingFault[];
}

/** The valid values in a {@link SettingsInput}, and the faults of the others. */
export interface FoundValues {
  readonly values: Map<string, unknown>;
  readonly sources: Map<string, SettingSource>;
  readonly faults: SettingFault[];
  /** Keys of settings with a fault. */
  readonly unsound: Set<string>;
  readonly warnings: string[];
}

/** Environment variables of the product that are not settings. */
const OTHER_VARIABLES = new Set(['OPENCLAW_CONFIG', 'OPENCLAW_URL', 'OPENCLAW_TOKEN', 'OPENCLAW_FAILPOINT']);

/** Credentials of other gateways: ignored, they would leave this one open without a word. */
const FOREIGN_CREDENTIALS = new Map([
  ['OPENCLAW_GATEWAY_TOKEN', 'OPENCLAW_AUTH_TOKEN'],
  ['OPENCLAW_GATEWAY_PASSWORD', 'OPENCLAW_AUTH_TOKEN'],
]);

const EMPTY = 'is empty: name a file, or unset it';
const NOT_UTF8 = 'is not UTF-8 text';

/** Variables that Kubernetes injects for a Service named `openclaw-...`. */
const KUBERNETES_NAME = /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?)$/;
const KUBERNETES_VALUE = /^(tcp|udp|sctp):\/\//;

/**
 * Reads the settings file and `.env`.
 * @param folder the folder of `config.yaml` and `.env`
 */
export function readInput(
  environment: Environment,
  overrides: Readonly<Record<string, unknown>>,
  folder: string,
): SettingsInput {
  const variables = { ...readDotEnv(environment, folder), ...environment };
  const named = variables['OPENCLAW_CONFIG'];
  const path = resolve(folder, named ?? 'config.yaml');
  const secretFiles = Object.entries(variables).flatMap(([name, file]) =>
    name.endsWith('_FILE') && file ? resolve(file) : [],
  );
  const privateFiles = [path, resolve(folder, '.env'), ...secretFiles];
  const input = { environment: variables, overrides, folder: dirname(path), privateFiles, secretFiles };
  if (named === '') return { ...input, document: undefined, faults: [{ key: 'OPENCLAW_CONFIG', message: EMPTY }] };
  if (!existsSync(path)) {
    const faults = named ? [{ key: 'OPENCLAW_CONFIG', message: `there is no file ${path}` }] : [];
    return { ...input, document: undefined, faults };
  }
  try {
    return { ...input, document: parseSettings(readText(path)).toJS() as unknown, faults: [] };
  } catch (error) {
    if (isNotUtf8(error)) return { ...input, document: undefined, faults: [{ key: path, message: NOT_UTF8 }] };
    const message = `cannot be read as YAML: ${(error as Error).message}`;
    return { ...input, document: undefined, faults: [{ key: path, message }] };
  }
}

/**
 * Loads the settings of `schema` from defaults, the file, the environment and the command line; later ones take
 * precedence.
 * @param kept texts of files that are not read, by path
 * @throws SettingsError with every fault
 */
export function loadSections(
  schema: SettingsSchema,
  input: SettingsInput,
  kept: ReadonlyMap<string, string> = new Map(),
): LoadedSettings {
  const texts = new Map(kept);
  const readFile: SecretFileReader = (file) => {
    const path = resolve(file);
    const text = texts.get(path) ?? readText(path);
    texts.set(path, text);
    return text;
  };
  const found = findValues(schema, input, readFile);
  complete(schema, input.environment, found, readFile);
  const { values, sources, faults, unsound, warnings } = found;
  faults.push(...schema.checkRules((key) => values.get(key) as never, unsound));
  if (faults.length > 0) throw new SettingsError(faults);
  return {
    schema,
    values: Object.fromEntries(values) as unknown as Settings,
    sources,
    warnings,
    folder: input.folder,
    privateFiles: input.privateFiles,
    secretFiles: input.secretFiles,
    readAgain: (paths) => loadSections(schema, input, new Map([...texts].filter(([path]) => !paths.includes(path)))),
  };
}

/** Completes the valid values with variables of other names. */
function complete(
  schema: SettingsSchema,
  environment: Environment,
  found: FoundValues,
  readFile: SecretFileReader,
): void {
  for (const [key, completion] of Object.entries(schema.completions)) {
    if (found.unsound.has(key)) continue;
    try {
      found.values.set(key, completion(found.values.get(key), environment, readFile));
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      found.faults.push(...error.faults);
      found.unsound.add(key);
    }
  }
}

/** Finds the value of each setting of `schema` and checks it against its own schema. */
export function findValues(
  schema: SettingsSchema,
  input: SettingsInput,
  readFile: SecretFileReader = readText,
): FoundValues {
  const found: FoundValues = {
    values: new Map(),
    sources: new Map(),
    faults: [...input.faults],
    unsound: new Set(),
    warnings: [],
  };
  const file = new Map<string, unknown>();
  collect(schema, input.document, '', file, found.faults);
  const fromEnvironment = readEnvironment(schema, input.environment, found, readFile);
  for (const row of schema.rows) {
    const candidates: [SettingSource, unknown][] = [
      ['command line', input.overrides[row.key]],
      ['environment', fromEnvironment.get(row.key)],
      ['file', file.get(row.key)],
      ['default', row.schema.default],
    ];
    const [source, value] = candidates.find(([, candidate]) => candidate !== undefined) ?? [];
    if (source === undefined) continue;
    const fault = findFault(row, value);
    if (!fault) {
      found.values.set(row.key, value);
      found.sources.set(row.key, source);
    } else {
      const from = source === 'environment' ? ` (from ${variableOf(row, input.environment)})` : '';
      found.faults.push({ key: row.key, message: `${fault.message}${from}` });
      found.unsound.add(row.key);
    }
  }
  return found;
}

/** Reads a file as text without its byte order mark. @throws TypeError when it is not UTF-8 */
function readText(path: string): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
}

function isNotUtf8(error: unknown): boolean {
  return error instanceof TypeError && (error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
}

/** Returns the variable that a value came from. */
function variableOf({ env }: SettingRow, environment: Environment): string {
  return environment[env] === undefined ? `${env}_FILE` : env;
}

function readDotEnv(environment: Environment, folder: string): Environment {
  const path = resolve(folder, '.env');
  if (environment['NODE_ENV'] === 'production' || !existsSync(path)) return {};
  return parseEnv(readText(path));
}

/**
 * Collects values from a settings document by the keys of the schema. An unknown key is a fault that lists the known
 * keys.
 */
function collect(
  schema: SettingsSchema,
  document: unknown,
  prefix: string,
  values: Map<string, unknown>,
  faults: SettingFault[],
): void {
  if (document === null || document === undefined) return;
  if (typeof document !== 'object' || Array.isArray(document)) {
    faults.push({ key: prefix || 'config.yaml', message: 'must be a map' });
    return;
  }
  for (const [name, value] of Object.entries(document)) {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    if (schema.find(key)) values.set(key, takeOut(schema, value, key, values));
    else if (schema.hasBelow(key)) collect(schema, value, key, values, faults);
    else faults.push({ key, message: `unknown setting; ${describeKnown(schema, prefix, name)}` });
  }
}

/**
 * Moves settings that other parts declare below a map (`channels.acme.token` below `channels`) from its value to
 * `values`. Returns the rest of the map; undefined if it is empty.
 */
function takeOut(schema: SettingsSchema, value: unknown, key: string, values: Map<string, unknown>): unknown {
  if (value === null || value === undefined) return undefined;
  if (!schema.hasBelow(key) || typeof value !== 'object' || Array.isArray(value)) return value;
  const rest = Object.entries(value).flatMap(([name, child]) => {
    const path = `${key}.${name}`;
    const isOwn = schema.find(path) !== undefined;
    const left: unknown = takeOut(schema, child, path, values);
    if (isOwn) values.set(path, left);
    return isOwn || left === undefined ? [] : [[name, left] as const];
  });
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}

function describeKnown(schema: SettingsSchema, prefix: string, name: string): string {
  const start = prefix === '' ? '' : `${prefix}.`;
  const below = schema.rows.filter((row) => row.key.startsWith(start));
  const known = [...new Set(below.map((row) => row.key.slice(start.length).split('.')[0] ?? ''))];
  const meant = suggest(name, known);
  return `known here: ${known.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

function readEnvironment(
  schema: SettingsSchema,
  environment: Environment,
  found: FoundValues,
  readFile: SecretFileReader,
): Map<string, unknown> {
  const values = new Map<string, unknown>();
  const byVariable = new Map(schema.rows.map((row) => [row.env, row]));
  for (const [name, raw] of Object.entries(environment)) {
    if (!name.startsWith('OPENCLAW_') || raw === undefined || OTHER_VARIABLES.has(name)) continue;
    if (KUBERNETES_NAME.test(name) || KUBERNETES_VALUE.test(raw)) continue;
    const direct = byVariable.get(name);
    const row = direct ?? (name.endsWith('_FILE') ? byVariable.get(name.slice(0, -'_FILE'.length)) : undefined);
    if (!row) {
      const meant = FOREIGN_CREDENTIALS.get(name);
      if (meant !== undefined) found.faults.push({ key: name, message: `is not read by this gateway; set ${meant}` });
      else found.warnings.push(`The environment variable ${name} is not a setting and is ignored`);
      continue;
    }
    try {
      values.set(row.key, parseText(row, direct ? raw : readFile(raw).replace(/\r?\n$/, '')));
    } catch (error) {
      found.faults.push({ key: name, message: `${(error as Error).message}; allowed: ${describeAllowed(row)}` });
      found.unsound.add(row.key);
    }
  }
  return values;
}
