import { namesTeamModules } from '../../settings.js';
import { useInstalledPackages } from '../bundled-packages.js';
import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { readOptions } from '../options.js';

/** `openclaw start`: runs a gateway in this process until a signal stops it. */
export const start: Command = {
  name: 'start',
  summary: 'run a gateway',
  usage: `Usage: openclaw start [--port PORT] [--host HOST] [--config FILE] [--store URL] [--unset KEY[,KEY]]

Runs a gateway until it is stopped (Ctrl-C or SIGTERM). Prints one line with its URL, pid and store when it is ready.

  --port PORT    the port to listen on; 0 picks a free one (default 18789)
  --host HOST    the address to listen on (default 127.0.0.1)
  --config FILE  the settings file (default: ./config.yaml if it exists)
  --store URL    where sessions and messages are stored, for example sqlite:data/gateway.db
  --unset KEY    remove what \`openclaw config set KEY\` changed while a gateway ran, when it prevents the start

These options take precedence over the environment and the settings file.

Examples:
  openclaw start
  openclaw start --port 8080 --store sqlite:/var/lib/openclaw/gateway.db
`,
  async run(args) {
    const { values } = readOptions('start', args, {
      port: { type: 'string' },
      host: { type: 'string' },
      config: { type: 'string' },
      store: { type: 'string' },
      unset: { type: 'string' },
    });
    const { port, unset, ...others } = values;
    const overrides = {
      ...others,
      ...(port === undefined ? {} : { port: readPort(port) }),
      ...(unset === undefined ? {} : { unset: unset.split(',') }),
    };
    const environment = values.config === undefined ? process.env : { ...process.env, OPENCLAW_CONFIG: values.config };
    if (namesTeamModules(environment)) useInstalledPackages();
    const { runGateway } = await import('../../run-gateway.js');
    await runGateway(overrides);
    return EXIT.done;
  },
};

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`--port must be a number from 0 to 65535, not ${text}`, 'start');
}
