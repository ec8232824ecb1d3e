import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { runTailscale, type ProgramRun, type StandInState } from './tailscale-answers.js';

export type { StandInState } from './tailscale-answers.js';

export const HOST = 'gw.tail1234.ts.net';

export const RUNNING = {
  BackendState: 'Running',
  Self: { DNSName: `${HOST}.`, Online: true },
  CertDomains: [HOST],
};

/** The stand-ins by name. Their programs ask this server what to do: a process of Node for each takes ten times as long. */
const standIns = new Map<string, StandInTailscale>();
const server = createServer((socket) => void answer(socket)).listen(0, '127.0.0.1');
server.unref();
await once(server, 'listening');

/** A program in place of `tailscale`, whose state a test sees and changes. */
export class StandInTailscale {
  readonly folder = mkdtempSync(join(tmpdir(), 'tailscale-'));
  /** For `gateway.tailscale_bin`. */
  readonly program = join(this.folder, 'tailscale');
  /** The arguments of each call. */
  readonly calls: string[] = [];
  /** The connections of programs that run. */
  readonly sockets = new Set<Socket>();
  private current: StandInState = { status: RUNNING };

  constructor(state: Partial<StandInState> = {}) {
    const { port } = server.address() as AddressInfo;
    const lines = [
      '#!/bin/bash',
      `exec 3<>/dev/tcp/127.0.0.1/${port}`,
      `printf '%s\\n' ${this.folder} $$ "$@" '' >&3`,
      'read -r commands <&3 && eval "$commands"',
    ];
    writeFileSync(this.program, `${lines.join('\n')}\n`);
    chmodSync(this.program, 0o755);
    this.change(state);
    standIns.set(this.folder, this);
  }

  /** A copy of the state. */
  get state(): StandInState {
    return structuredClone(this.current);
  }

  change(changes: Partial<StandInState>): void {
    this.current = structuredClone({ ...this.current, ...changes });
  }

  /** The arguments of each call, without those that only look. */
  get changes(): string[] {
    return this.calls.filter((call) => !/^(status|serve status|whois)/.test(call));
  }

  /** Returns what the program does that was started with some arguments. */
  async run(pid: number, args: readonly string[]): Promise<ProgramRun> {
    this.calls.push(args.join(' '));
    const { slowMs } = this.current;
    if (slowMs) await setTimeout(slowMs);
    return runTailscale(this.current, pid, args);
  }

  remove(): void {
    standIns.delete(this.folder);
    for (const socket of this.sockets) socket.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Reads the arguments of a program, one in a line, and sends it what to do, as a line of commands. */
async function answer(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.endsWith('\n\n')) break;
  }
  const [name = '', pid, ...args] = text.trimEnd().split('\n');
  const standIn = standIns.get(name);
  if (!standIn) return void socket.destroy();
  standIn.sockets.add(socket);
  socket.once('close', () => standIn.sockets.delete(socket)).resume();
  const { out = '', err = '', code = 0, waitsMs } = await standIn.run(Number(pid), args);
  // It reads in vain, so that it needs no other program to wait.
  const waits = waitsMs === undefined ? '' : `read -t ${waitsMs / 1_000} <&3;`;
  socket.write(`printf %s ${quote(out)}; printf %s ${quote(err)} >&2; ${waits} exit ${code}\n`);
}

function quote(text: string): string {
  return `$'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
}

/** Returns what stands at a port: the output of `serve status --json`. */
export function served(target: string, { port = 443, isPublic = false, others = {}, host = HOST } = {}): object {
  const name = `${host}:${port}`;
  return {
    TCP: { [port]: { HTTPS: true } },
    Web: { [name]: { Handlers: { '/': { Proxy: target }, ...others } } },
    ...(isPublic && { AllowFunnel: { [name]: true } }),
  };
}
