import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { isMap, type Document } from 'yaml';
import { parseSettings } from '../../core/config/settings-document.js';

/** Values by their path in the settings file: `{ 'agent.model': 'ollama/qwen3:8b' }`. */
export type NewSettings = Readonly<Record<string, unknown>>;

/** The file of the operator's token, and the variable of the token. */
export const TOKEN_FILE = 'operator-token';
export const TOKEN_VARIABLE = 'OPENCLAW_AUTH_TOKEN';

const KEY_SUFFIX = '-api-key';

/** Returns the name of the file for the key of a provider. */
export function keyFileOf(provider: string): string {
  return provider + KEY_SUFFIX;
}

const FIRST_LINES = '# Settings of the gateway: docs/reference/settings.md\n';

/** A settings file before and after a change. */
export interface ChangedFile {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string;
}

/**
 * Returns the settings file with other values; its comments and its other settings stay.
 * @throws Error if it is not YAML
 */
export function changeSettings(path: string, settings: NewSettings): ChangedFile {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  const document = parse(path, before ?? FIRST_LINES);
  for (const [key, value] of Object.entries(settings)) set(document, key.split('.'), value);
  return { path, before, after: document.toString({ lineWidth: 0 }) };
}

function parse(path: string, text: string): Document {
  try {
    return parseSettings(text);
  } catch (error) {
    throw new Error(`${path} cannot be read as YAML: ${(error as Error).message}`, { cause: error });
  }
}

function set(document: Document, path: readonly string[], value: unknown): void {
  // `agent:` without anything below it is null, which cannot have a part.
  for (let length = 1; length < path.length; length++)
    if (!isMap(document.getIn(path.slice(0, length)))) document.setIn(path.slice(0, length), document.createNode({}));
  document.setIn(path, typeof value === 'object' ? document.createNode(value) : value);
}

/**
 * Writes a changed settings file, after `prepare` has returned. A crash leaves the old or the new file.
 * @param prepare called with the path of a copy; throws if that is not valid, else writes what belongs to it
 */
export function writeSettings({ path, before, after }: ChangedFile, prepare: (path: string) => void): void {
  const target = before === undefined ? path : realpathSync(path);
  mkdirSync(dirname(target), { recursive: true });
  const copy = join(dirname(target), `.config-${randomBytes(6).toString('hex')}.yaml`);
  try {
    writeFileSync(copy, after, { mode: before === undefined ? 0o644 : statSync(target).mode & 0o777, flag: 'wx' });
    prepare(copy);
    renameSync(copy, target);
  } finally {
    rmSync(copy, { force: true });
  }
}

/**
 * Returns the variables for the secrets that an earlier setup wrote, with the paths of their files.
 * @param variableOf returns the variable for the key of a provider
 */
export function findSecrets(folder: string, variableOf: (provider: string) => string): Record<string, string> {
  const secrets = join(folder, 'secrets');
  const names = existsSync(secrets) ? readdirSync(secrets) : [];
  return Object.fromEntries(
    names.flatMap((name): [string, string][] => {
      const provider = name.endsWith(KEY_SUFFIX) ? name.slice(0, -KEY_SUFFIX.length) : '';
      const variable = name === TOKEN_FILE ? TOKEN_VARIABLE : provider && variableOf(provider);
      return variable ? [[`${variable}_FILE`, shorten(join(secrets, name))]] : [];
    }),
  );
}

/** Writes a secret to a file that only its owner can read, and returns the path as a command names it. */
export function writeSecret(folder: string, name: string, secret: string): string {
  const path = join(folder, 'secrets', name);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  writeFileSync(path, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(path, 0o600);
  return shorten(path);
}

function shorten(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

/** Returns a new token for an operator. */
export function makeToken(): string {
  return randomBytes(32).toString('base64url');
}
