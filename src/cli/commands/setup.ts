import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Command } from '../command.js';
import { EXIT } from '../faults.js';
import { readOptions } from '../options.js';
import { chooseByFlags, chooseByQuestions, listCandidates, type Choice, type Parts } from '../setup/choice.js';
import { hideSecretValues } from '../setup/hide-values.js';
import { diffLines } from '../setup/line-diff.js';
import { Questions } from '../setup/questions.js';
import {
  changeSettings,
  findSecrets,
  keyFileOf,
  makeToken,
  TOKEN_FILE,
  TOKEN_VARIABLE,
  writeSecret,
  writeSettings,
  type ChangedFile,
  type NewSettings,
} from '../setup/settings-file.js';
import type { Terminal } from '../terminal.js';

const OPTIONS = {
  config: { type: 'string' },
  provider: { type: 'string' },
  model: { type: 'string' },
  'base-url': { type: 'string' },
  host: { type: 'string' },
  yes: { type: 'boolean' },
} as const;

type Flags = ReturnType<typeof readFlags>;

/** The parts and inputs of one run of the setup. */
interface Setup {
  readonly terminal: Terminal;
  readonly parts: Parts;
  /** Absolute. */
  readonly path: string;
  readonly flags: Flags;
  /** Variables for the secrets of an earlier setup. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The environment with these secrets. */
  readonly env: Terminal['env'];
  readonly settings: ReturnType<Parts['loadSettings']>['values'];
}

/** `openclaw setup`: from nothing to a model that answers. */
export const setup: Command = {
  name: 'setup',
  summary: 'choose a model and write config.yaml',
  usage: `Usage: openclaw setup [--config FILE] [--host HOST]
       openclaw setup --yes [--provider NAME] [--base-url URL] [--model MODEL] [--config FILE] [--host HOST]

Finds keys in the environment and model servers on this machine, lets you choose a provider and a model, asks the model one
question, and writes the settings file. With --yes it asks nothing: what the flags leave open is the first that it finds.

  --config FILE    the settings file (default: OPENCLAW_CONFIG, else config.yaml)
  --provider NAME  the provider: anthropic, openai, one of the settings, or a new name with --base-url
  --base-url URL   the address of a server that speaks as OpenAI does
  --model MODEL    the model, as its provider names it
  --host HOST      the address to listen on; with one that others reach, an operator token is made
  --yes            ask nothing

A key is never an argument: set NAME_API_KEY, or NAME_API_KEY_FILE to a file that has it.

Examples:
  openclaw setup
  openclaw setup --yes --provider ollama --model qwen3:8b
`,
  async run(args, terminal) {
    const flags = readFlags(args);
    const parts = await import('../../setup-parts.js');
    const path = resolve(flags.config ?? (terminal.env['OPENCLAW_CONFIG'] || 'config.yaml'));
    const secrets = findSecrets(dirname(path), parts.keyVariableOf);
    const env = { ...secrets, ...terminal.env };
    const { values: settings } = load(parts, env, existsSync(path) ? path : undefined, dirname(path));
    const own = { terminal, parts, path, flags, settings, secrets, env };
    return flags.yes ? runByFlags(own) : runByQuestions(own);
  },
};

function readFlags(args: readonly string[]) {
  return readOptions('setup', args, OPTIONS).values;
}

/** @param path the settings file; undefined for none */
function load(parts: Parts, env: Terminal['env'], path: string | undefined, folder: string) {
  const { OPENCLAW_CONFIG: _, ...others } = env;
  return parts.loadSettings({ ...others, ...(path !== undefined && { OPENCLAW_CONFIG: path }) }, {}, folder);
}

async function findCandidates({ parts, settings, env }: Setup) {
  return listCandidates(parts, settings.providers, env, await parts.findLocalServers());
}

async function runByQuestions(own: Setup): Promise<number> {
  const { parts, path, flags, settings } = own;
  const questions = new Questions(own.terminal);
  try {
    const choice = await chooseByQuestions(parts, await findCandidates(own), questions);
    const isOpen = !parts.isLoopbackHost(settings['gateway.host']);
    const host =
      flags.host ??
      (!isOpen && (await questions.confirm('\nWill other machines reach the gateway?', false)) ? '0.0.0.0' : undefined);
    const file = changeSettings(path, toSettings(choice, host));
    if (file.before !== undefined && file.before !== file.after) {
      questions.say(`\n${path}:`);
      for (const line of describeChange(file)) questions.say(line);
      if (!(await questions.confirm('Write it?', true))) throw new Error('Nothing was written');
    }
    return write(own, choice, file, host);
  } finally {
    questions.close();
  }
}

async function runByFlags(own: Setup): Promise<number> {
  const { parts, path, flags, terminal, env } = own;
  const { provider, model, host, 'base-url': baseUrl } = flags;
  const wanted = { ...(provider && { provider }), ...(model && { model }), ...(baseUrl && { baseUrl }) };
  const choice = await chooseByFlags(parts, await findCandidates(own), wanted, { ...terminal, env });
  const file = changeSettings(path, toSettings(choice, host));
  for (const line of describeChange(file)) terminal.stderr.write(`${line}\n`);
  return write(own, choice, file, host);
}

/** Returns the settings to write. A known provider needs only its key, so its address is not written. */
function toSettings({ name, model, provider, origin }: Choice, host: string | undefined): NewSettings {
  const { api, base_url } = provider;
  const isNew = origin === 'new' || origin === 'this machine';
  return {
    'agent.model': `${name}/${model}`,
    ...(isNew && { [`providers.${name}`]: { api, base_url } }),
    ...(host !== undefined && { 'gateway.host': host }),
  };
}

/** A secret to be written, and the variable that has it. */
interface NewSecret {
  readonly variable: string;
  readonly file: string;
  readonly value: string;
}

/** Writes the secrets and the settings once both are known to be valid, and prints the command to start. */
function write({ env, ...own }: Setup, choice: Choice, file: ChangedFile, host: string | undefined): number {
  const { parts, path, settings } = own;
  const folder = dirname(path);
  const { name, typedKey } = choice;
  const secrets: NewSecret[] = [];
  if (typedKey !== undefined)
    secrets.push({ variable: parts.keyVariableOf(name), file: keyFileOf(name), value: typedKey });
  const hasCredential =
    settings['auth.token'] !== undefined ||
    settings['auth.tokens'].length > 0 ||
    settings['auth.jwt'] !== undefined ||
    settings['auth.jwt_issuers'].length > 0;
  if (!hasCredential && !parts.isLoopbackHost(host ?? settings['gateway.host']))
    secrets.push({ variable: TOKEN_VARIABLE, file: TOKEN_FILE, value: makeToken() });
  const given = Object.fromEntries(secrets.map(({ variable, value }) => [variable, value]));
  const added: Record<string, string> = {};
  writeSettings(file, (copy) => {
    load(parts, { ...env, ...given }, copy, folder);
    for (const secret of secrets) added[`${secret.variable}_FILE`] = writeSecret(folder, secret.file, secret.value);
  });
  const written = [...(file.before === file.after ? [] : [path]), ...Object.values(added)];
  const variables = { ...own.secrets, ...added };
  printEnd(own.terminal, path, variables, written);
  const variable = parts.keyVariableOf(name);
  const isInherited = [variable, `${variable}_FILE`].some((one) => own.terminal.env[one] && !(one in variables));
  if (isInherited)
    own.terminal.stderr.write(`The gateway takes the key of ${name} from its environment: ${variable}\n`);
  return EXIT.done;
}

/** Returns the lines that change, without secrets. */
function describeChange({ before = '', after }: ChangedFile): string[] {
  return diffLines(hideSecretValues(before), hideSecretValues(after));
}

function printEnd(
  { stdout, stderr }: Terminal,
  path: string,
  variables: Readonly<Record<string, string>>,
  written: readonly string[],
): void {
  const token = variables[`${TOKEN_VARIABLE}_FILE`];
  stderr.write(written.length === 0 ? `\n${path} stays as it is\n` : `\nWritten: ${written.join(', ')}\n`);
  if (token !== undefined) stderr.write(`Operators: OPENCLAW_TOKEN=$(cat ${token}) openclaw status\n`);
  stderr.write('Start it with:\n');
  const config = relative(process.cwd(), path) === 'config.yaml' ? [] : ['--config', path];
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  stdout.write(`${[...assignments, 'openclaw', 'start', ...config].join(' ')}\n`);
}
