import { realpathSync } from 'node:fs';
import { arch, cpus, freemem, hostname, loadavg, platform, release, totalmem, uptime } from 'node:os';
import type { NodeCommandSetup } from '../../client/node/index.js';
import { parseAllowedPrograms } from './allowed-programs.js';
import { makeCaptureCommand, makeNotifyCommand } from './desktop.js';
import { makeFileCommands } from './files.js';
import { makeRunCommand } from './run-program.js';

/** The permissions that a person gives the node. */
export interface NodePowers {
  readonly root: string | undefined;
  readonly allowRun: readonly string[];
}

/** Returns the commands of this machine. @throws Error for a folder or a program that cannot be used */
export async function listCommands({ root, allowRun }: NodePowers): Promise<NodeCommandSetup[]> {
  const realRoot = root === undefined ? undefined : realpathSync(root);
  const programs = parseAllowedPrograms(allowRun);
  return [
    INFO,
    ...makeNotifyCommand(),
    ...makeCaptureCommand(),
    ...(realRoot === undefined ? [] : makeFileCommands(realRoot)),
    ...(programs.length === 0 ? [] : [makeRunCommand(programs, realRoot)]),
  ];
}

const INFO: NodeCommandSetup = {
  name: 'system.info',
  description: 'Describes this machine: system, processors, memory, load.',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  idempotent: true,
  run: () => ({
    host: hostname(),
    platform: platform(),
    release: release(),
    arch: arch(),
    processors: cpus().length,
    memory_bytes: totalmem(),
    free_memory_bytes: freemem(),
    load: loadavg(),
    uptime_seconds: Math.round(uptime()),
  }),
};
