import { VERSION } from '../core/lifecycle/version.js';
import { agents } from './commands/agents.js';
import { approvals } from './commands/approvals.js';
import { audit } from './commands/audit.js';
import { backup } from './commands/backup.js';
import { channels } from './commands/channels.js';
import { chat } from './commands/chat.js';
import { makeCompletion } from './completion.js';
import { config } from './commands/config.js';
import { connections } from './commands/connections.js';
import { cron } from './commands/cron.js';
import { deadLetters } from './commands/dead-letters.js';
import { doctor } from './commands/doctor.js';
import { drain } from './commands/drain.js';
import type { Command } from './command.js';
import { EXIT, UnreachableError, UsageError } from './faults.js';
import { logs } from './commands/logs.js';
import { messages } from './commands/messages.js';
import { models } from './commands/models.js';
import { node } from './commands/node.js';
import { nodes } from './commands/nodes.js';
import { restore } from './commands/restore.js';
import { queue } from './commands/queue.js';
import { people } from './commands/people.js';
import { presence } from './commands/presence.js';
import { sessions } from './commands/sessions.js';
import { setup } from './commands/setup.js';
import { start } from './commands/start.js';
import { status } from './commands/status.js';
import { funnel, serve } from './commands/tailscale.js';
import { tenants } from './commands/tenants.js';
import { tokens } from './commands/tokens.js';
import { tools } from './commands/tools.js';
import { turns } from './commands/turns.js';
import { usage } from './commands/usage.js';
import { suggest } from '../core/config/suggest.js';
import { painter, printable, type Terminal } from './terminal.js';

/** The one table of commands, in the order of the overview. */
export const COMMANDS: readonly Command[] = [
  setup,
  start,
  status,
  chat,
  agents,
  channels,
  cron,
  sessions,
  people,
  presence,
  connections,
  queue,
  messages,
  turns,
  approvals,
  tools,
  deadLetters,
  nodes,
  node,
  serve,
  funnel,
  models,
  config,
  tenants,
  usage,
  audit,
  tokens,
  logs,
  drain,
  backup,
  restore,
  doctor,
  makeCompletion(() => COMMANDS),
];

/**
 * Runs one command line and returns its exit code: 0 done, 1 failed, 2 wrong usage, 3 gateway not reachable. `args`
 * excludes the program. Errors are printed on standard error.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, terminal);
  } catch (error) {
    return report(error as Error, terminal);
  }
}

async function dispatch([name, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  if (name === undefined) {
    terminal.stderr.write(overview());
    return EXIT.usage;
  }
  if (name === '--version' || name === '-v') {
    terminal.stdout.write(`${VERSION}\n`);
    return EXIT.done;
  }
  if (name === 'help' || name === '--help' || name === '-h') {
    terminal.stdout.write(args[0] === undefined ? overview() : find(args[0]).usage);
    return EXIT.done;
  }
  const command = find(name);
  const flags = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (!flags.includes('--help') && !flags.includes('-h')) return command.run(args, terminal);
  terminal.stdout.write(command.usage);
  return EXIT.done;
}

function find(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command) return command;
  if (name.startsWith('-')) throw new UsageError(`Unknown option ${name} in place of a command`);
  const meant = suggest(name, [...COMMANDS.map((candidate) => candidate.name), 'help']);
  throw new UsageError(`There is no command ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}

function overview(): string {
  const rows = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}\n`).join('');
  return `Usage: openclaw COMMAND [OPTIONS]

${rows}  help         this, or with a command's name its usage

  --version  print the version

All but setup, start, doctor, restore, completion and node run connect to a running gateway: --url or OPENCLAW_URL is its address (default
http://127.0.0.1:18789), OPENCLAW_TOKEN holds the credential; for a gateway on this machine without
configured ones, local.token beside its store does. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 gateway not reachable.
`;
}

function report(error: Error, { stderr, env }: Terminal): number {
  const paint = painter(stderr, env);
  stderr.write(`${paint('red', 'openclaw:')} ${printable(error.message, stderr)}\n`);
  if (error instanceof UnreachableError) return EXIT.unreachable;
  if (!(error instanceof UsageError)) return EXIT.failed;
  // The whole help would scroll the error away.
  stderr.write(`Try: openclaw ${error.command === undefined ? 'help' : `${error.command} --help`}\n`);
  return EXIT.usage;
}
