import { systemTimers, type Timers } from '../../client/index.js';
import { findPartSchema } from '../../core/config/setting-parts.js';
import { parseText } from '../../core/config/setting-values.js';
import { composeSettings } from '../../settings.js';
import { AdminSession } from '../admin-session.js';
import type { Command } from '../command.js';
import { listChanges, revert } from './config-history.js';
import { EXIT, UsageError } from '../faults.js';
import { request, type GatewayRequest } from '../http.js';
import { LIST_OPTIONS, readLimit, readOptions, readTarget, type GatewayTarget } from '../options.js';
import { findSettings, selectSettings, type Setting } from './select-settings.js';
import { formatTable } from '../table.js';
import { painter, printJson, type Terminal, toJson } from '../terminal.js';

const PATH = '/admin/v1/config';
const POLL_INTERVAL_MS = 1_000;

interface Config {
  readonly version: number;
  readonly settings: readonly Setting[];
}

/** The body of a refused request. */
interface Problem {
  readonly detail?: string;
  readonly details?: {
    readonly faults?: readonly { readonly pointer: string; readonly message: string }[];
    readonly reason?: string;
    readonly missing_scope?: string;
  };
}

/** `openclaw config`: reads and changes the settings of a running gateway. */
export const config: Command = {
  name: 'config',
  summary: 'settings of a running gateway: get, set, unset, watch, history, revert',
  usage: `Usage: openclaw config get [KEY] [--url URL] [--json]
       openclaw config set KEY VALUE [--url URL] [--json]
       openclaw config unset KEY [--url URL] [--json]
       openclaw config watch [KEY] [--url URL] [--json]
       openclaw config history [--limit N] [--url URL] [--json]
       openclaw config revert VERSION [--url URL] [--json]

get    prints settings, each with the source of its value; KEY may be a prefix (queue), an agent (agents.ops) or a part of a
       map (providers.groq.base_url)
set    changes a setting permanently, at once or at the next start as it reports; lists and maps are JSON; of agents also
       one field (agents.ops.model)
unset  reverts a change: file, environment or default apply again
watch  prints changes as they occur, until Ctrl-C
history
       prints the changes that were made while a gateway ran, the newest first
revert brings back the values of a VERSION, those of secrets too

  --limit N  at most N changes (default: 100)
  --url URL  where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print JSON

It requires a credential in OPENCLAW_TOKEN with the scope admin:read, and to change a setting with its scope, which get --json
shows; on this machine the local token of a gateway without configured credentials will do.

Examples:
  openclaw config set agent.model ollama/qwen3:8b
  openclaw config revert 41
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('config', args, LIST_OPTIONS, true);
    const target = readTarget('config', values.url, terminal);
    const [action, key, value, ...rest] = positionals;
    const session: ConfigSession = { terminal, target, json: values.json ?? false };
    if (rest.length > 0) throw new UsageError(`Unexpected argument ${rest[0]}`, 'config');
    switch (action) {
      case 'get':
        return get(session, key);
      case 'set':
        if (key === undefined || value === undefined) throw new UsageError('set needs a KEY and a VALUE', 'config');
        return change(session, key, parseValue(key, value));
      case 'unset':
        if (key === undefined) throw new UsageError('unset needs a KEY', 'config');
        return change(session, key, null);
      case 'watch':
        return watch(session, key);
      case 'history':
        if (key !== undefined) throw new UsageError(`Unexpected argument ${key}`, 'config');
        return listChanges(new AdminSession(terminal, target, values.json), readLimit('config', values.limit));
      case 'revert':
        return revert(new AdminSession(terminal, target, values.json), key);
      default:
        throw new UsageError(
          action === undefined ? 'config needs get, set, unset, watch, history or revert' : `config cannot ${action}`,
          'config',
        );
    }
  },
};

interface ConfigSession {
  readonly terminal: Terminal;
  readonly target: GatewayTarget;
  readonly json: boolean;
}

async function get(session: ConfigSession, key: string | undefined): Promise<number> {
  const { version, settings } = await readConfig(session);
  const found = (await readAgent(session, key)) ?? selectSettings(settings, key);
  if (session.json) printJson(session.terminal, { version, settings: found });
  else
    session.terminal.stdout.write(
      formatTable(found.map(({ key: name, value, source }) => [name, describe(value), source])),
    );
  return EXIT.done;
}

async function change(session: ConfigSession, key: string, value: unknown): Promise<number> {
  const { version, settings } = await readConfig(session);
  if (value === null && isOfStart(findSettings(settings, key))) {
    session.terminal.stderr.write(`${key} has not been changed at run time; nothing to unset\n`);
    return EXIT.done;
  }
  const body = JSON.stringify({ version, changes: { [key]: value } });
  const changed = await ask<{ version: number; needs_restart: string[] }>(session, { method: 'PATCH', body });
  if (session.json) printJson(session.terminal, changed);
  else {
    const when = changed.needs_restart.includes(key) ? 'in force at the next start' : 'in force';
    session.terminal.stdout.write(`${key} ${value === null ? 'unset' : 'set'}, ${when} (version ${changed.version})\n`);
  }
  return EXIT.done;
}

/** True if settings have no change that could be removed. A change below a command-line argument is not seen. */
function isOfStart(settings: readonly Setting[]): boolean {
  return settings.length > 0 && settings.every(({ source }) => ['default', 'file', 'environment'].includes(source));
}

async function watch(session: ConfigSession, key: string | undefined): Promise<number> {
  const { terminal } = session;
  const stop = new AbortController();
  const stopListening = terminal.onInterrupt(() => stop.abort());
  let before = await readConfig(session);
  selectSettings(before.settings, key);
  terminal.stderr.write(`watching from version ${before.version} on; Ctrl-C stops\n`);
  while (!stop.signal.aborted) {
    await pause(terminal.timers ?? systemTimers, POLL_INTERVAL_MS, stop.signal);
    if (stop.signal.aborted) break;
    const now = await readConfig(session);
    for (const setting of findSettings(now.settings, key)) {
      const [old] = findSettings(before.settings, setting.key).map(({ value }) => value);
      if (JSON.stringify(old) !== JSON.stringify(setting.value)) printChange(session, setting, old, now.version);
    }
    before = now;
  }
  stopListening();
  return EXIT.done;
}

function printChange(
  { terminal, json }: ConfigSession,
  { key, value, source }: Setting,
  old: unknown,
  version: number,
): void {
  const paint = painter(terminal.stdout, terminal.env);
  const line = json
    ? toJson({ version, key, value, old, source })
    : `${paint('bold', key)}  ${describe(old)} -> ${describe(value)}  (${source})`;
  terminal.stdout.write(`${line}\n`);
}

function readConfig(session: ConfigSession): Promise<Config> {
  return ask<Config>(session);
}

/** Returns the effective settings of an agent, if `key` names one or a field of one. @throws UsageError for an unknown field */
async function readAgent({ terminal, target }: ConfigSession, key = ''): Promise<readonly Setting[] | undefined> {
  const [, id, field] = /^agents\.([^.]+)(?:\.([^.]+))?$/.exec(key) ?? [];
  if (id === undefined) return undefined;
  const response = await request(terminal, target, `/admin/v1/agents/${encodeURIComponent(id)}`);
  if (!response.ok) return undefined;
  const { settings = {} } = (await response.json()) as { settings?: Readonly<Record<string, Omit<Setting, 'key'>>> };
  const found = Object.entries(settings).filter(([name]) => field === undefined || name === field);
  if (found.length === 0)
    throw new UsageError(`An agent has no ${field}; it has ${Object.keys(settings).join(', ')}`, 'config');
  return found.map(([name, { value, source }]) => ({ key: `agents.${id}.${name}`, value, source }));
}

/** @throws Error with the gateway's message */
async function ask<T>({ terminal, target }: ConfigSession, init?: GatewayRequest): Promise<T> {
  const response = await request(terminal, target, PATH, init);
  const body = (await response.json().catch(() => ({}))) as T & Problem;
  if (response.ok) return body;
  const faults = body.details?.faults ?? [];
  if (faults.length > 0)
    throw new Error(faults.map(({ pointer, message }) => `${pointer.replace('/changes/', '')}: ${message}`).join('\n'));
  throw new Error(`${body.detail ?? `HTTP ${response.status}`}${adviseCredential(target, response.status, body)}`);
}

/** Says which credential is needed, unless the reason of the refusal is another than a scope, and says it. */
function adviseCredential({ token, source }: GatewayTarget, status: number, { details }: Problem): string {
  if (status !== 401 && status !== 403) return '';
  if (details?.reason !== undefined && details.missing_scope === undefined && token !== undefined)
    return `; this is about the token in ${source}`;
  const needed = 'a credential with admin:read, and config:write (or what the setting asks for) to change';
  return `; ${token === undefined ? 'set OPENCLAW_TOKEN to' : `the token in ${source} is not`} ${needed}`;
}

/**
 * Parses a value by the type of its setting; a text may be a JSON string. For a setting that only the gateway knows, the
 * value is JSON if it parses as JSON.
 */
function parseValue(key: string, source: string): unknown {
  const place = composeSettings().locate(key);
  const schema = place && findPartSchema(place.row.schema, place.path);
  try {
    if (schema?.type === 'string') return readJsonText(source) ?? source;
    return schema?.type === undefined ? (JSON.parse(source) as unknown) : parseText({ schema }, source);
  } catch (error) {
    if (schema?.type === undefined) return source;
    throw new UsageError(`The value of ${key} ${(error as Error).message}`, 'config');
  }
}

/** Returns the text that a JSON string holds (`"a"`); undefined if `source` is none. */
function readJsonText(source: string): string | undefined {
  if (!/^".*"$/s.test(source)) return undefined;
  try {
    const value: unknown = JSON.parse(source);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function pause(timers: Timers, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = timers.setTimer(ms, resolve);
    signal.addEventListener('abort', () => {
      cancel();
      resolve();
    });
  });
}
