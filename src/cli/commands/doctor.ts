import { namesTeamModules } from '../../settings.js';
import type { Finding } from '../../doctor-findings.js';
import { useInstalledPackages } from '../bundled-packages.js';
import type { Command } from '../command.js';
import { EXIT } from '../faults.js';
import { readOptions } from '../options.js';
import { painter, printJson, type Terminal } from '../terminal.js';

const COLOURS = { ok: 'green', note: 'yellow', fault: 'red' } as const;

/** `openclaw doctor`: examines what a start needs. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'what a start needs: settings, store, disk, port, channels, models, sandbox, clock',
  usage: `Usage: openclaw doctor [--deep] [--config FILE] [--json]

Examines what a start of the gateway needs, and changes nothing: Node, the settings, the store (its place, its version,
who has it open), the folder of uploaded files, the disk, the port, Tailscale, the sandbox of commands, the browser of agents, the
clock. Asks the platforms of the configured channels, identity providers and providers of models. Says how what is wrong is
mended. A gateway may run meanwhile.

  --deep         also read the whole store and compare every index with its rows, which takes a while
  --config FILE  the settings file (default: ./config.yaml if it exists)
  --json         print the findings as JSON

Exit code 1: a start would fail, or the store is damaged.

Examples:
  openclaw doctor
  openclaw doctor --deep --config /etc/openclaw/config.yaml
`,
  async run(args, terminal) {
    const { values } = readOptions('doctor', args, {
      deep: { type: 'boolean' },
      config: { type: 'string' },
      json: { type: 'boolean' },
    });
    const environment =
      values.config === undefined ? terminal.env : { ...terminal.env, OPENCLAW_CONFIG: values.config };
    if (namesTeamModules(environment)) useInstalledPackages();
    const { examine } = await import('../../doctor.js');
    const findings: Finding[] = [];
    for await (const finding of examine(environment, values.deep ? progressOn(terminal) : undefined)) {
      findings.push(finding);
      if (!values.json) print(terminal, finding);
    }
    if (values.json) printJson(terminal, findings);
    return findings.some(({ state }) => state === 'fault') ? EXIT.failed : EXIT.done;
  },
};

function print({ stdout, env }: Terminal, { subject, state, says, mend }: Finding): void {
  const [first = '', ...more] = [...says.split('\n'), ...(mend === undefined ? [] : [`to mend it: ${mend}`])];
  const paint = painter(stdout, env);
  stdout.write(`${paint(COLOURS[state], state.padEnd(5))}  ${subject.padEnd(9)}  ${first}\n`);
  for (const line of more) stdout.write(`${' '.repeat(18)}${line}\n`);
}

/** Shows which table is read, for people only. */
function progressOn({ stderr }: Terminal): (table: string, n: number, of: number) => void {
  return (table, n, of) => {
    if (stderr.isTTY) stderr.write(`\r\x1b[Kreading table ${n} of ${of}: ${table}${n === of ? '\r\x1b[K' : ''}`);
    else stderr.write(`reading table ${n} of ${of}: ${table}\n`);
  };
}
