import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { requestJson } from '../http.js';
import { GATEWAY_OPTIONS, readOptions, readTarget } from '../options.js';
import { painter, printJson, type Terminal } from '../terminal.js';

const PATH = '/admin/v1/tailscale';
/** Time for Tailscale to start and to be set, in milliseconds. */
const TIMEOUT_MS = 90_000;

type Mode = 'serve' | 'funnel';

interface Tailscale {
  readonly expose: boolean;
  readonly mode: Mode;
  readonly state: string;
  readonly url?: string;
  readonly reason?: string;
}

/** `openclaw serve`: the gateway within the tailnet of its machine. */
export const serve = makeCommand('serve', 'let the tailnet reach a gateway, through Tailscale', 'within the tailnet');

/** `openclaw funnel`: the gateway on the internet. */
export const funnel = makeCommand('funnel', 'let the internet reach a gateway, through Tailscale', 'on the internet');

function makeCommand(name: Mode, summary: string, where: string): Command {
  return {
    name,
    summary,
    usage: `Usage: openclaw ${name} [--status|--off] [--url URL] [--json]

Makes a running gateway reachable ${where} through Tailscale, now and after its next starts
(gateway.expose_via_tailscale, gateway.tailscale_mode). Prints the address.

  --status   print whether it is reachable, and change nothing
  --off      end it
  --url URL  where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the response as JSON

Examples:
  openclaw ${name}
  openclaw ${name} --off
`,
    async run(args, terminal) {
      const options = { ...GATEWAY_OPTIONS, status: { type: 'boolean' }, off: { type: 'boolean' } } as const;
      const { values } = readOptions(name, args, options);
      if (values.status && values.off) throw new UsageError('--status and --off exclude each other', name);
      const target = readTarget(name, values.url, terminal);
      const change = (body: object) => {
        if (terminal.stderr.isTTY && !values.json)
          terminal.stderr.write('Asking Tailscale, which may take a minute ...\n');
        const init = { method: 'PATCH', body: JSON.stringify(body) };
        return requestJson<Tailscale>(terminal, target, PATH, init, TIMEOUT_MS);
      };
      if (!values.status && !values.off)
        return print(terminal, await change({ expose: true, mode: name }), values.json);
      const now = await requestJson<Tailscale>(terminal, target, PATH);
      if (values.status || !now.expose) return print(terminal, now, values.json);
      if (now.mode !== name)
        throw new Error(`the gateway is exposed by ${now.mode}: \`openclaw ${now.mode} --off\` ends that`);
      return print(terminal, await change({ expose: false }), values.json);
    },
  };
}

function print(terminal: Terminal, tailscale: Tailscale, isJson = false): number {
  const { expose, mode, state, url, reason } = tailscale;
  if (isJson) printJson(terminal, tailscale);
  else if (url !== undefined)
    terminal.stdout.write(`${url} (${mode === 'serve' ? 'within the tailnet' : 'on the internet'})\n`);
  else if (reason === undefined) terminal.stdout.write(`${state}\n`);
  else terminal.stderr.write(`${painter(terminal.stderr, terminal.env)('yellow', state)}: ${reason}\n`);
  return state === 'degraded' || (expose && state !== 'up') ? EXIT.failed : EXIT.done;
}
