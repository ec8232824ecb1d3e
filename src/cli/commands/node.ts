import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../command.js';
import { UsageError } from '../faults.js';
import { readOptions, readTarget } from '../options.js';

/** `openclaw node run`: this machine as a device of a gateway. */
export const node: Command = {
  name: 'node',
  summary: 'this machine as a device: node run',
  usage: `Usage: openclaw node run [--pair CODE] [--name NAME] [--url URL] [--folder FOLDER]
                         [--root FOLDER] [--allow-run PROGRAM]...

Offers commands of this machine to the agents of a gateway, until it is ended: system.info, and system.notify and
screen.capture where a program for them exists. Calls, their results and the key are kept in a folder.

  --pair CODE          the code of openclaw nodes pair; needed once
  --name NAME          what this machine calls itself (default: its host name)
  --url URL            where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --folder FOLDER      what is kept (default: ~/.openclaw/node)
  --root FOLDER        offers files.read and files.list below this folder; links are not followed
  --allow-run PROGRAM  offers system.run for this program, with any arguments; or with exactly these, where * stands for
                       any text: --allow-run 'git status' --allow-run 'make test-*'. Programs that are known to start
                       others (shells, interpreters, editors, git, tar, sed ...) need their arguments. Name those of
                       others too: with any arguments, many programs are as good as a shell

A person approves each call of system.run and screen.capture, and the pairing has to allow them by name.

Examples:
  openclaw node run --pair K7M2P-9QX4T --name 'Kitchen Mac'
  openclaw node run --root ~/Documents --allow-run 'git status'
`,
  async run(args, terminal) {
    const options = {
      url: { type: 'string' },
      pair: { type: 'string' },
      name: { type: 'string' },
      folder: { type: 'string' },
      root: { type: 'string' },
      'allow-run': { type: 'string', multiple: true },
    } as const;
    const { values, positionals } = readOptions('node', args, options, true);
    const [action, ...rest] = positionals;
    if (action !== 'run') throw new UsageError(`node knows run, not ${action ?? 'nothing'}`, 'node');
    if (rest[0] !== undefined) throw new UsageError(`Unexpected argument ${rest[0]}`, 'node');
    const { url } = readTarget('node', values.url, terminal);
    // Loaded for this command alone.
    const { runNode } = await import('../node-run/run-node.js');
    return runNode(terminal, {
      url,
      pair: values.pair,
      name: values.name ?? terminal.host,
      folder: values.folder ?? join(homedir(), '.openclaw', 'node'),
      root: values.root,
      allowRun: values['allow-run'] ?? [],
    });
  },
};
