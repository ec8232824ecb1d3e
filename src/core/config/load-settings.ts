import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import Value from 'typebox/value';
import { parse as parseYaml } from 'yaml';
import { findMcpFault, type McpServerSetting } from './mcp-settings.js';
import { addUsualKeys, findModelFaults, type ProviderSettings } from './providers.js';
import { settingRows, type GatewaySettings, type SettingRow } from './settings.js';

/** Where a value came from, weakest first. */
export type SettingSource = 'default' | 'file' | 'environment' | 'run time' | 'command line';

/** One thing that is wrong with the settings, in words for the operator. */
export interface SettingFault {
  readonly key: string;
  readonly message: string;
}

/** Thrown at start; its message lists every fault with its key and what is allowed. */
export class SettingsError extends Error {
  constructor(readonly faults: readonly SettingFault[]) {
    const lines = faults.map((fault) => `  - ${fault.key}: ${fault.message}`);
    super(
      `The settings have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}; nothing was started:\n${lines.join('\n')}`,
    );
    this.name = 'SettingsError';
  }
}

export interface LoadedSettings {
  readonly settings: GatewaySettings;
  readonly sources: ReadonlyMap<string, SettingSource>;
  /** Things that are odd but harmless, to be logged once. */
  readonly warnings: readonly string[];
}

/** Environment variables of the product that are no settings. */
const OTHER_VARIABLES = new Set(['OPENCLAW_CONFIG', 'OPENCLAW_URL', 'OPENCLAW_TOKEN', 'OPENCLAW_FAILPOINT']);

/** They are looked at together, when each of them is sound by itself. */
const MODEL_SETTINGS: ReadonlySet<string> = new Set(['agent.runtime', 'agent.model', 'providers']);

/** What Kubernetes injects for a Service called `openclaw-...`. */
const KUBERNETES_NAME = /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?)$/;
const KUBERNETES_VALUE = /^(tcp|udp|sctp):\/\//;

/**
 * Reads the settings: defaults, then the file, then the environment, then `overrides` (the command line).
 * @param folder where `config.yaml` and `.env` are looked for
 * @throws SettingsError with every fault
 */
export function loadSettings(
  environment: Readonly<Record<string, string | undefined>>,
  overrides: Readonly<Record<string, unknown>> = {},
  folder = process.cwd(),
): LoadedSettings {
  const faults: SettingFault[] = [];
  const warnings: string[] = [];
  const env = { ...readDotEnv(environment, folder), ...environment };
  const file = readFile(env, folder, faults);
  const fromEnvironment = readEnvironment(env, faults, warnings);

  const values = new Map<string, unknown>();
  const sources = new Map<string, SettingSource>();
  for (const row of settingRows) {
    const candidates: [SettingSource, unknown][] = [
      ['command line', overrides[row.key]],
      ['environment', fromEnvironment.get(row.key)],
      ['file', file.get(row.key)],
      ['default', row.schema.default],
    ];
    const found = candidates.find(([, value]) => value !== undefined);
    if (!found) continue;
    const message = findFault(row, found[1]);
    if (message) faults.push({ key: row.key, message });
    values.set(row.key, found[1]);
    sources.set(row.key, found[0]);
  }
  if (!faults.some(({ key }) => MODEL_SETTINGS.has(key))) {
    values.set('providers', addUsualKeys(values.get('providers') as ProviderSettings, env));
    faults.push(...checkModel(values));
  }
  if (faults.length === 0) faults.push(...findTokenFaults(values));
  if (faults.length > 0) throw new SettingsError(faults);
  return { settings: nest(values), sources, warnings };
}

/** What is wrong with one value, with what is allowed; undefined when it is fine. The value itself is never told: it may be a secret. */
export function findFault(row: SettingRow, value: unknown): string | undefined {
  if (row.schema['x-later']) return 'its feature is not part of this version; remove the setting';
  if (row.key === 'store.url' && typeof value === 'string' && /^postgres(ql)?:/.test(value)) {
    return 'PostgreSQL is not part of this version; allowed: sqlite:PATH';
  }
  const [error] = Value.Errors(row.schema, value);
  if (!error)
    return row.key === 'mcp.servers' ? findMcpFault(value as Readonly<Record<string, McpServerSetting>>) : undefined;
  const place = error.instancePath === '' ? '' : ` (at ${error.instancePath})`;
  return `${error.message}${place}; allowed: ${describeAllowed(row)}`;
}

/** What a setting accepts, in words. */
export function describeAllowed(row: SettingRow): string {
  const { type, enum: values, minimum, maximum, pattern } = row.schema;
  if (values) return values.join(', ');
  if (type === 'integer' || type === 'number') {
    const kind = type === 'integer' ? 'a whole number' : 'a number';
    return `${kind} from ${minimum} to ${maximum}`;
  }
  if (type === 'boolean') return 'true or false';
  if (type === 'array') return 'a list (JSON in the environment)';
  if (type === 'object') return 'a map (JSON in the environment)';
  return pattern ? `text that matches ${pattern}` : 'text';
}

function readDotEnv(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): Record<string, string | undefined> {
  const path = resolve(folder, '.env');
  if (environment['NODE_ENV'] === 'production' || !existsSync(path)) return {};
  return parseEnv(readFileSync(path, 'utf8'));
}

function readFile(
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
  faults: SettingFault[],
): Map<string, unknown> {
  const values = new Map<string, unknown>();
  const named = env['OPENCLAW_CONFIG'];
  const path = resolve(folder, named ?? 'config.yaml');
  if (!existsSync(path)) {
    if (named) faults.push({ key: 'OPENCLAW_CONFIG', message: `there is no file ${path}` });
    return values;
  }
  try {
    collect(parseYaml(readFileSync(path, 'utf8')), '', values, faults);
  } catch (error) {
    faults.push({ key: path, message: `cannot be read as YAML: ${(error as Error).message.split('\n')[0]}` });
  }
  return values;
}

/** Walks a settings document along the schema; a key that leads nowhere is a fault, with the nearest known key. */
function collect(document: unknown, prefix: string, values: Map<string, unknown>, faults: SettingFault[]): void {
  if (document === null || document === undefined) return;
  if (typeof document !== 'object' || Array.isArray(document)) {
    faults.push({ key: prefix || 'config.yaml', message: 'must be a map' });
    return;
  }
  for (const [name, value] of Object.entries(document)) {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    if (settingRows.some((row) => row.key === key)) values.set(key, value ?? undefined);
    else if (settingRows.some((row) => row.key.startsWith(`${key}.`))) collect(value, key, values, faults);
    else faults.push({ key, message: `unknown setting; known here: ${listSiblings(prefix).join(', ')}` });
  }
}

function listSiblings(prefix: string): string[] {
  const start = prefix === '' ? '' : `${prefix}.`;
  const names = settingRows
    .filter((row) => row.key.startsWith(start))
    .map((row) => row.key.slice(start.length).split('.')[0] ?? '');
  return [...new Set(names)];
}

function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  faults: SettingFault[],
  warnings: string[],
): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, raw] of Object.entries(env)) {
    if (!name.startsWith('OPENCLAW_') || raw === undefined || OTHER_VARIABLES.has(name)) continue;
    if (KUBERNETES_NAME.test(name) || KUBERNETES_VALUE.test(raw)) continue;
    const direct = settingRows.find((row) => row.env === name);
    const row = direct ?? settingRows.find((candidate) => `${candidate.env}_FILE` === name);
    if (!row) {
      warnings.push(`The environment variable ${name} is no setting and is ignored`);
      continue;
    }
    try {
      const text = direct ? raw : readFileSync(raw, 'utf8').replace(/\r?\n$/, '');
      values.set(row.key, parseText(row, text));
    } catch (error) {
      faults.push({ key: name, message: `${(error as Error).message}; allowed: ${describeAllowed(row)}` });
    }
  }
  return values;
}

/** Reads a value from text, as the environment and the command line give it. */
export function parseText(row: SettingRow, source: string): unknown {
  switch (row.schema.type) {
    case 'integer':
    case 'number':
      return source.trim() === '' || Number.isNaN(Number(source)) ? source : Number(source);
    case 'boolean':
      return source === 'true' ? true : source === 'false' ? false : source;
    case 'array':
    case 'object':
      try {
        return JSON.parse(source);
      } catch {
        throw new Error('is not JSON');
      }
    default:
      return source;
  }
}

/** What one token's shape cannot say: exactly one of token and hash, and no credential that means two things. */
function findTokenFaults(values: ReadonlyMap<string, unknown>): SettingFault[] {
  const tokens = values.get('auth.tokens') as GatewaySettings['auth']['tokens'];
  const seen = new Set<string>();
  return tokens.flatMap((token, i) => {
    const key = `auth.tokens[${i}]`;
    if ((token.token === undefined) === (token.token_sha256 === undefined)) {
      return [{ key, message: 'must have exactly one of token and token_sha256' }];
    }
    if (token.sender !== undefined && token.role !== 'user') return [{ key, message: 'sender is for role user only' }];
    const secret = token.token ?? token.token_sha256 ?? '';
    if (seen.has(secret)) return [{ key, message: 'is the same credential as an earlier one' }];
    seen.add(secret);
    return [];
  });
}

function checkModel(values: ReadonlyMap<string, unknown>): SettingFault[] {
  return findModelFaults({
    runtime: values.get('agent.runtime') as string,
    model: values.get('agent.model') as string | undefined,
    providers: values.get('providers') as ProviderSettings,
  });
}

function nest(values: ReadonlyMap<string, unknown>): GatewaySettings {
  const root: Record<string, unknown> = {};
  for (const [key, value] of values) {
    const path = key.split('.');
    const last = path.pop() as string;
    let node = root;
    for (const name of path) node = (node[name] ??= {}) as Record<string, unknown>;
    node[last] = value;
  }
  return root as GatewaySettings;
}
