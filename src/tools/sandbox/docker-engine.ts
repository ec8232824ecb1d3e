import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import type { Container, ContainerCreateOptions } from 'dockerode';
import {
  MAX_OPEN_FILES,
  MEGABYTE,
  SANDBOX_ENVIRONMENT,
  SANDBOX_UID,
  SandboxEngine,
  SandboxUnavailableError,
  TMP_BYTES,
  WORKSPACE_MOUNT,
  type SandboxCommand,
  type SandboxExit,
} from './sandbox-engine.js';

const NANOSECONDS = 1_000_000_000;
/** Label of every sandbox container; its value is the owner. */
export const OWNER_LABEL = 'org.openclaw.sandbox.owner';
/** Time limit for a response of the daemon, in milliseconds. */
const PING_TIMEOUT_MS = 3_000;

export interface DockerEngineOptions {
  /** The owner of the containers. It is stable over restarts, so that leftovers of a crash are found. */
  readonly owner: string;
  /** Called for each command. */
  readonly image: () => string;
}

/** Runs each command in its own container. Uses the daemon of `DOCKER_HOST`, or of this machine. */
export class DockerEngine extends SandboxEngine {
  override readonly name = 'docker';
  private docker: Docker | undefined;
  private reaping: Promise<void> | undefined;

  constructor(private readonly options: DockerEngineOptions) {
    super();
  }

  /** The first call also removes containers that an earlier process of this owner left. */
  override async check(): Promise<void> {
    const docker = await this.connect();
    try {
      await Promise.race([docker.ping(), rejectAfter(PING_TIMEOUT_MS)]);
    } catch (error) {
      throw new SandboxUnavailableError(`no Docker daemon answers (${describe(error)})`, { cause: error });
    }
    await (this.reaping ??= this.reap(docker));
  }

  override async run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit> {
    signal.throwIfAborted();
    const docker = await this.connect();
    const container = await this.create(docker, command);
    try {
      return await runToEnd(docker, container, command, signal);
    } finally {
      await container.remove({ force: true, v: true });
    }
  }

  private async connect(): Promise<Docker> {
    try {
      // Loaded with the first command, so that a gateway without commands does not pay for it.
      const { default: Client } = await import('dockerode');
      return (this.docker ??= new Client());
    } catch (error) {
      throw new SandboxUnavailableError(`the Docker client cannot be used (${describe(error)})`, { cause: error });
    }
  }

  private async create(docker: Docker, command: SandboxCommand): Promise<Container> {
    const image = this.options.image();
    try {
      return await docker.createContainer(buildContainer(image, this.options.owner, command));
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      if (statusCode === undefined)
        throw new SandboxUnavailableError(`no Docker daemon answers (${describe(error)})`, { cause: error });
      if (statusCode !== 404) throw error;
      throw new SandboxUnavailableError(
        `the image ${image} is not on this machine: run docker pull ${image}, or set tools.sandbox.image`,
        { cause: error },
      );
    }
  }

  private async reap(docker: Docker): Promise<void> {
    const left = await docker.listContainers({
      all: true,
      filters: { label: [`${OWNER_LABEL}=${this.options.owner}`] },
    });
    await Promise.all(left.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  }
}

/** Attaches before it starts the container, so that no output is lost. */
async function runToEnd(
  docker: Docker,
  container: Container,
  command: SandboxCommand,
  signal: AbortSignal,
): Promise<SandboxExit> {
  const stream = (await container.attach({
    stream: true,
    stdin: true,
    stdout: true,
    stderr: true,
    hijack: true,
  })) as Duplex;
  const ended = finished(stream, { writable: false }).catch(() => {});
  docker.modem.demuxStream(stream, sink(command, 'stdout'), sink(command, 'stderr'));
  signal.throwIfAborted();
  await container.start();
  stream.end(command.input);
  const kill = () => void container.kill().catch(() => {});
  signal.addEventListener('abort', kill, { once: true });
  try {
    if (signal.aborted) kill();
    const { StatusCode: exitCode } = (await container.wait()) as { StatusCode: number };
    signal.throwIfAborted();
    await ended;
    return { exitCode, isOutOfMemory: (await container.inspect()).State.OOMKilled };
  } finally {
    signal.removeEventListener('abort', kill);
    stream.destroy();
  }
}

function sink({ onOutput }: SandboxCommand, stream: 'stdout' | 'stderr'): NodeJS.WritableStream {
  // The only member that `demuxStream` uses.
  return { write: (chunk: Uint8Array) => (onOutput(chunk, stream), true) } as unknown as NodeJS.WritableStream;
}

function buildContainer(
  image: string,
  owner: string,
  { argv, workspace, mounts = [], limits }: SandboxCommand,
): ContainerCreateOptions {
  const [entrypoint = '', ...rest] = argv;
  const memory = limits.memoryMb * MEGABYTE;
  return {
    Image: image,
    // Overrides the image's entry point.
    Entrypoint: [entrypoint],
    Cmd: rest,
    User: `${SANDBOX_UID}:${SANDBOX_UID}`,
    WorkingDir: WORKSPACE_MOUNT,
    Env: Object.entries(SANDBOX_ENVIRONMENT).map(([name, value]) => `${name}=${value}`),
    Labels: { [OWNER_LABEL]: owner },
    Hostname: 'sandbox',
    NetworkDisabled: true,
    ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false },
    HostConfig: {
      ReadonlyRootfs: true,
      NetworkMode: 'none',
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      PidsLimit: limits.pids,
      Memory: memory,
      // The sum of memory and swap: no swap.
      MemorySwap: memory,
      NanoCpus: Math.round(limits.cpu * NANOSECONDS),
      Mounts: [
        { Type: 'bind', Source: workspace, Target: WORKSPACE_MOUNT },
        ...mounts.map(({ source, target }) => ({
          Type: 'bind' as const,
          Source: source,
          Target: target,
          ReadOnly: true,
        })),
      ],
      Tmpfs: { '/tmp': `rw,nosuid,nodev,size=${TMP_BYTES},mode=1777` },
      Ulimits: [
        { Name: 'fsize', Soft: limits.fileBytes, Hard: limits.fileBytes },
        { Name: 'nofile', Soft: MAX_OPEN_FILES, Hard: MAX_OPEN_FILES },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      // Output is only streamed, not written to a file on the machine.
      LogConfig: { Type: 'none', Config: {} },
      Init: true,
    },
  };
}

function rejectAfter(timeoutMs: number): Promise<never> {
  return new Promise((_, reject) =>
    setTimeout(() => reject(new Error(`no response within ${timeoutMs} ms`)), timeoutMs).unref(),
  );
}

function describe(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? String(error);
}
