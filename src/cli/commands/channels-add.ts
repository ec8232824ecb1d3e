import { readFileSync } from 'node:fs';
import { EXIT, UsageError } from '../faults.js';
import { requestJson } from '../http.js';
import { GATEWAY_OPTIONS, readOptions, readTarget } from '../options.js';
import { Questions } from '../setup/questions.js';
import { printable, printJson, type Terminal } from '../terminal.js';

/** Time for the platform to be asked, and for the account to start, in milliseconds. */
const ADD_TIMEOUT_MS = 40_000;

const OPTIONS = {
  ...GATEWAY_OPTIONS,
  account: { type: 'string' },
  set: { type: 'string', multiple: true },
  unchecked: { type: 'boolean' },
} as const;

/** A setting of a channel, as the gateway lists it. */
interface Setting {
  readonly key: string;
  readonly description: string;
  readonly required: boolean;
  readonly secret: boolean;
}

interface Added {
  readonly channel: { readonly name: string; readonly state: string; readonly reason?: string };
  readonly speaks_as?: string;
  readonly remarks: readonly string[];
  readonly needs_restart: readonly string[];
}

/** Where the value of a setting may come from. */
interface Sources {
  readonly name: string;
  readonly given: Readonly<Record<string, unknown>>;
  readonly terminal: Terminal;
}

/** `openclaw channels add NAME`: asks for the settings of a channel, and has the gateway check and store them. */
export async function runAdd(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readOptions('channels', args, OPTIONS, true);
  const [name, ...rest] = positionals;
  if (name === undefined) throw new UsageError('add needs NAME', 'channels');
  if (rest.length > 0) throw new UsageError(`Unexpected argument ${rest[0]}`, 'channels');
  const target = readTarget('channels', values.url, terminal);
  const path = `/admin/v1/channels/${encodeURIComponent(name)}/settings`;
  const { items } = await requestJson<{ items: readonly Setting[] }>(terminal, target, path);
  const given = readGiven(values.set ?? [], items, name);
  const settings = await collect(items, { name, given, terminal });
  const body = JSON.stringify({
    name,
    settings,
    ...(values.account !== undefined && { account: values.account }),
    ...(values.unchecked && { unchecked: true }),
  });
  const init = { method: 'POST', body };
  const added = await requestJson<Added>(terminal, target, '/admin/v1/channels', init, ADD_TIMEOUT_MS);
  if (values.json) printJson(terminal, added);
  else terminal.stdout.write(printable(describe(added), terminal.stdout));
  return EXIT.done;
}

/** Reads `KEY=VALUE`. The gateway reads the value as it reads one of the environment. A secret cannot be given so. */
function readGiven(pairs: readonly string[], items: readonly Setting[], name: string): Record<string, unknown> {
  const entries = pairs.map((pair): [string, unknown] => {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--set needs KEY=VALUE`, 'channels');
    const key = pair.slice(0, at);
    if (items.some((item) => item.key === key && item.secret))
      throw new UsageError(
        `${key} is a secret, which cannot be an argument: set ${variableOf(name, key)}, or ${variableOf(name, key)}_FILE to a file that has it`,
        'channels',
      );
    return [key, pair.slice(at + 1)];
  });
  return Object.fromEntries(entries);
}

/** Returns the settings that are given or in the environment, and asks a person for those that are needed. */
async function collect(items: readonly Setting[], sources: Sources): Promise<Record<string, unknown>> {
  const settings: Record<string, unknown> = { ...sources.given };
  const open: Setting[] = [];
  for (const item of items) {
    if (item.key in settings) continue;
    const found = readVariable(variableOf(sources.name, item.key), sources.terminal);
    if (found !== undefined) settings[item.key] = found;
    else if (item.required || item.secret) open.push(item);
  }
  if (sources.terminal.stdin.isTTY) Object.assign(settings, await ask(open, sources.terminal));
  const missing = items.filter(({ key, required }) => required && settings[key] === undefined);
  if (missing.length > 0) throw new UsageError(describeMissing(missing, sources.name), 'channels');
  return settings;
}

/** Asks for settings. An empty line leaves one out. */
async function ask(items: readonly Setting[], terminal: Terminal): Promise<Record<string, unknown>> {
  if (items.length === 0) return {};
  const questions = new Questions(terminal);
  const settings: Record<string, unknown> = {};
  try {
    for (const { key, description, required, secret } of items) {
      questions.say(`\n${description}`);
      const question = `${key}${required ? '' : ' (empty for none)'}:`;
      const text = secret ? await questions.askSecret(question) : await questions.ask(question);
      if (text !== '') settings[key] = text;
    }
    return settings;
  } finally {
    questions.close();
  }
}

/** Returns the variable that also the gateway reads. */
function variableOf(name: string, key: string): string {
  return `OPENCLAW_CHANNELS_${name}_${key}`.toUpperCase().replaceAll('-', '_');
}

function readVariable(variable: string, { env }: Terminal): string | undefined {
  const file = env[`${variable}_FILE`];
  return env[variable] ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim());
}

function describeMissing(missing: readonly Setting[], name: string): string {
  const wanted = missing.map(({ key, secret }) => (secret ? variableOf(name, key) : `--set ${key}=VALUE`));
  return `${name} needs ${missing.map(({ key }) => key).join(', ')}: give ${wanted.join(', ')}, or run it in a terminal`;
}

function describe({ channel, speaks_as: speaker, remarks, needs_restart: later }: Added): string {
  const { name, state, reason } = channel;
  const lines = [
    `${name}${speaker === undefined ? '' : ` speaks as ${speaker}`}: ${state}${reason === undefined ? '' : `, ${reason}`}`,
    ...remarks,
    ...(later.length > 0 ? [`In force after a start without these arguments: ${later.join(', ')}`] : []),
    `People who write to it get a code; openclaw channels approve ${name} CODE lets them in.`,
  ];
  return `${lines.join('\n')}\n`;
}
