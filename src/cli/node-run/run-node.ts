import { arch, platform } from 'node:os';
import { FolderNodeStorage, NodeClient, pairNode, type NodeState } from '../../client/node/index.js';
import { VERSION } from '../../core/lifecycle/version.js';
import { EXIT, UnreachableError } from '../faults.js';
import { printable, type Terminal } from '../terminal.js';
import { listCommands } from './list-commands.js';
import { whenProgramsEnded } from './run-program.js';

export interface NodeRunOptions {
  readonly url: string;
  /** The code, for the first run. */
  readonly pair: string | undefined;
  readonly name: string;
  readonly folder: string;
  readonly root: string | undefined;
  readonly allowRun: readonly string[];
}

const PLATFORM = `${platform()} ${arch()}`;

/** Runs this machine as a node until it is interrupted. Returns the exit code. */
export async function runNode(terminal: Terminal, options: NodeRunOptions): Promise<number> {
  const { url, pair, name, folder } = options;
  const storage = new FolderNodeStorage(folder);
  const commands = await listCommands(options);
  for (const program of options.allowRun.filter((entry) => !/\s/.test(entry.trim())))
    terminal.stderr.write(
      printable(
        `system.run takes any arguments of ${program}: name them if it can start other programs\n`,
        terminal.stderr,
      ),
    );
  if (pair !== undefined) {
    const request = { url, code: pair, name, platform: PLATFORM, storage, fetch: terminal.fetch };
    await pairNode(request).catch((error: unknown) => {
      throw error instanceof TypeError ? new UnreachableError(url, error.message) : error;
    });
  }
  const client = await NodeClient.open({
    ...{ url, storage, commands, platform: PLATFORM, version: VERSION, fetch: terminal.fetch },
    ...(terminal.WebSocket && { WebSocket: terminal.WebSocket }),
    ...(terminal.timers && { timers: terminal.timers }),
  });
  if (!client)
    throw new Error(`this machine is not paired: openclaw node run --pair CODE, with a code of openclaw nodes pair`);
  const state = await serve(client, terminal, url);
  await whenProgramsEnded();
  if (state.name !== 'ended' || state.error.code === 1000) return EXIT.done;
  throw new Error(`${client.nodeId}: ${state.error.message}`);
}

/** Connects, and resolves at the end: by an interrupt, or because the gateway does not want this node. */
function serve(client: NodeClient, terminal: Terminal, url: string): Promise<NodeState> {
  const { stdout, stderr } = terminal;
  const say = (text: string) => stderr.write(`${printable(text, stderr)}\n`);
  return new Promise((resolve) => {
    const stop = () => client.close();
    const stopListening = terminal.onInterrupt(stop);
    process.on('SIGTERM', stop);
    client.on('registered', ({ accepted, waiting, refused }) => {
      stdout.write(`${client.nodeId} is connected to ${url}: ${accepted.join(', ') || 'no commands'}\n`);
      for (const command of waiting)
        say(`${command} has changed and waits: openclaw nodes allow ${client.nodeId} --command ${command}`);
      for (const { name, reason } of refused) say(`${name} is not offered: ${reason}`);
    });
    client.on('error', ({ code, message }) => say(`${code}: ${message}`));
    client.on('state', (state) => {
      if (state.name === 'waiting') {
        const { code, reason } = state.loss;
        say(`not connected (${reason || code}); trying again in ${Math.ceil(state.retryInMs / 1_000)} s`);
      }
      if (state.name !== 'ended') return;
      stopListening();
      process.off('SIGTERM', stop);
      resolve(state);
    });
    client.connect();
  });
}
