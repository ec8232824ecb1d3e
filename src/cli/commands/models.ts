import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { requestJson } from '../http.js';
import { GATEWAY_OPTIONS, readOptions, readTarget, type GatewayTarget } from '../options.js';
import { formatTable } from '../table.js';
import { painter, printable, printJson, type Terminal } from '../terminal.js';

/** The body of `GET /admin/v1/models`, as far as it is printed. */
interface Models {
  readonly items: readonly Provider[];
  readonly local_servers: readonly Provider[];
}

interface Provider {
  readonly name: string;
  readonly base_url?: string;
  readonly state?: string;
  readonly fault?: string;
  readonly resting?: readonly { readonly name: string; readonly reason: string; readonly remaining_ms: number }[];
  readonly models: readonly { readonly id: string; readonly context_window?: number }[];
}

/** The body of `POST /admin/v1/models/test`. */
interface Trial {
  readonly ok: boolean;
  readonly first_token_ms?: number;
  readonly text?: string;
  readonly reason?: string;
  readonly detail?: string;
}

/** A trial ends on the side of the gateway, which waits for a large local model to be loaded. */
const TRIAL_TIMEOUT_MS = 150_000;
const LIST_TIMEOUT_MS = 20_000;

/** `openclaw models`: the providers of a gateway with their models. */
export const models: Command = {
  name: 'models',
  summary: 'providers and their models; try one',
  usage: `Usage: openclaw models [list] [--url URL] [--json]
       openclaw models test [PROVIDER/MODEL] [--url URL] [--json]

Lists the providers of a running gateway with their address, state, models and context windows, and the model servers that
it finds on its machine. "test" asks a model one question: by default the one of the setting agent.model.

  --url URL  where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the response as JSON

Examples:
  openclaw models
  openclaw models test ollama/qwen3:8b
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('models', args, GATEWAY_OPTIONS, true);
    const target = readTarget('models', values.url, terminal);
    const [action, model, ...rest] = positionals;
    if (rest.length > 0) throw new UsageError(`Unexpected argument ${rest[0]}`, 'models');
    if (action === undefined || action === 'list') return list(terminal, target, values.json ?? false);
    if (action !== 'test') throw new UsageError(`models knows list and test, not ${action}`, 'models');
    return test(terminal, target, model, values.json ?? false);
  },
};

async function list(terminal: Terminal, target: GatewayTarget, isJson: boolean): Promise<number> {
  const body = await requestJson<Models>(terminal, target, '/admin/v1/models', {}, LIST_TIMEOUT_MS);
  if (isJson) {
    printJson(terminal, body);
    return EXIT.done;
  }
  const rows = body.items.flatMap((provider) => describeProvider(provider, provider.state ?? ''));
  const found = body.local_servers.flatMap((server) => describeProvider(server, 'not configured'));
  if (rows.length + found.length === 0)
    terminal.stderr.write(
      'No provider is configured, and no model server was found. `openclaw setup` configures one.\n',
    );
  else {
    const table = formatTable([['PROVIDER', 'STATE', 'MODEL', 'WINDOW', 'ADDRESS'], ...rows, ...found]);
    const notes = body.items.flatMap(listNotes).map((note) => `${note}\n`);
    terminal.stdout.write(printable([table, ...(notes.length > 0 ? ['\n', ...notes] : [])].join(''), terminal.stdout));
  }
  return EXIT.done;
}

function describeProvider(provider: Provider, state: string): string[][] {
  const { name, models: listed } = provider;
  const [first, ...others] = listed;
  return [
    [name, state, first?.id ?? '-', windowOf(first), provider.base_url ?? ''],
    ...others.map((model) => ['', '', model.id, windowOf(model)]),
  ];
}

/** Returns the lines about a provider that does not work. */
function listNotes({ name, fault, resting = [] }: Provider): string[] {
  return [
    ...(fault === undefined ? [] : [`${name} does not list its models: ${fault}`]),
    ...resting.map((one) => `${one.name} rests for ${Math.ceil(one.remaining_ms / 1_000)} s: ${one.reason}`),
  ];
}

function windowOf(model: { readonly context_window?: number } | undefined): string {
  return model?.context_window === undefined ? '-' : String(model.context_window);
}

async function test(
  terminal: Terminal,
  target: GatewayTarget,
  model: string | undefined,
  isJson: boolean,
): Promise<number> {
  const name = model ?? (await readConfigured(terminal, target));
  const at = name.indexOf('/');
  if (at < 1 || at === name.length - 1) throw new UsageError(`${name} is not of the form PROVIDER/MODEL`, 'models');
  const body = JSON.stringify({ provider: name.slice(0, at), model: name.slice(at + 1) });
  const trial = await requestJson<Trial>(
    terminal,
    target,
    '/admin/v1/models/test',
    { method: 'POST', body },
    TRIAL_TIMEOUT_MS,
  );
  if (isJson) printJson(terminal, trial);
  else printTrial(terminal, name, trial);
  return trial.ok ? EXIT.done : EXIT.failed;
}

function printTrial(terminal: Terminal, name: string, { ok, first_token_ms: ms, text, reason, detail }: Trial): void {
  const paint = painter(terminal.stdout, terminal.env);
  if (ok) {
    terminal.stdout.write(`${printable(text ?? '', terminal.stdout)}\n`);
    terminal.stdout.write(`${paint('green', name)} answers; its first token came after ${ms} ms\n`);
    return;
  }
  terminal.stderr.write(`${name} does not answer: ${reason}\n`);
  if (detail) terminal.stderr.write(`${printable(detail, terminal.stderr)}\n`);
}

/** Returns the model of the setting `agent.model`. */
async function readConfigured(terminal: Terminal, target: GatewayTarget): Promise<string> {
  interface Config {
    readonly settings: readonly { readonly key: string; readonly value: unknown }[];
  }
  const { settings } = await requestJson<Config>(terminal, target, '/admin/v1/config', {}, LIST_TIMEOUT_MS);
  const value = settings.find(({ key }) => key === 'agent.model')?.value;
  if (typeof value === 'string') return value;
  throw new Error('No model is configured: name one, or set agent.model');
}
