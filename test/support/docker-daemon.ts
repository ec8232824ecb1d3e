import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';

const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
const APPLETS = [
  'sh',
  'awk',
  'cat',
  'head',
  'tail',
  'wc',
  'ls',
  'find',
  'stat',
  'mkdir',
  'mv',
  'rm',
  'dirname',
  'id',
  'env',
  'sleep',
  'touch',
  'echo',
  'dd',
  'yes',
  'chmod',
  'ln',
  'ip',
  'wget',
  'grep',
];

/** A Docker daemon for tests, with a busybox image: that of the machine, or one started here if permitted. */
export class DockerDaemon {
  static readonly image = 'openclaw-gateway-test:busybox';

  private constructor(
    readonly docker: Docker,
    private readonly stopDaemon: () => Promise<void>,
  ) {}

  /** Resolves with undefined where no Docker is available. Installs nothing. */
  static async find(): Promise<DockerDaemon | undefined> {
    if (!BUSYBOX) return undefined;
    const found = (await DockerDaemon.connect(new Docker(), async () => {})) ?? (await startDaemon());
    await found?.importImage(BUSYBOX);
    return found;
  }

  async stop(): Promise<void> {
    await this.docker.getImage(DockerDaemon.image).remove({ force: true });
    await this.stopDaemon();
  }

  private async importImage(busybox: string): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'busybox-'));
    mkdirSync(join(folder, 'bin'));
    cpSync(busybox, join(folder, 'bin/busybox'), { dereference: true });
    for (const applet of APPLETS) symlinkSync('busybox', join(folder, 'bin', applet));
    const tar = spawn('tar', ['-c', '-C', folder, '.']);
    const [repo, tag] = DockerDaemon.image.split(':');
    const progress = await this.docker.importImage(tar.stdout, { repo, tag });
    await new Promise<void>((resolve, reject) =>
      this.docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve())),
    );
    rmSync(folder, { recursive: true });
  }

  /** Resolves with undefined when no daemon responds. */
  static async connect(docker: Docker, stop: () => Promise<void>): Promise<DockerDaemon | undefined> {
    const answers = await docker.ping().then(
      () => true,
      () => false,
    );
    return answers ? new DockerDaemon(docker, stop) : undefined;
  }
}

/** Starts a daemon with its own data and socket and without a network, so that it disturbs no other. Sets `DOCKER_HOST`. */
async function startDaemon(): Promise<DockerDaemon | undefined> {
  if (process.getuid?.() !== 0 || spawnSync('dockerd', ['--version']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'docker-'));
  const host = `unix://${folder}/docker.sock`;
  const args = [
    '--iptables=false',
    '--ip6tables=false',
    '--bridge=none',
    '--data-root',
    `${folder}/data`,
    '--exec-root',
    `${folder}/exec`,
  ];
  const daemon = spawn('dockerd', [...args, '--pidfile', `${folder}/pid`, '--host', host], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const isUp = await waitForLine(daemon, 'API listen on');
  const stop = async () => {
    if (daemon.exitCode === null && daemon.signalCode === null) {
      const exited = once(daemon, 'exit');
      daemon.kill();
      await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  if (!isUp) return stop().then(() => undefined);
  process.env['DOCKER_HOST'] = host;
  return DockerDaemon.connect(new Docker(), stop);
}

/** Resolves with false when the process ends before it prints the words. */
function waitForLine(daemon: ChildProcess, words: string): Promise<boolean> {
  return new Promise((resolve) => {
    daemon.once('exit', () => resolve(false));
    daemon.stderr?.on('data', (chunk: Buffer) => chunk.toString().includes(words) && resolve(true));
  });
}
