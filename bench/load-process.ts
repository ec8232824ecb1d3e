import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadCommands } from './load/main.ts';

const MAIN = fileURLToPath(new URL('./load/main.ts', import.meta.url));

/** Maximum duration of a command, so that a load that hangs ends. */
const COMMAND_TIMEOUT_MS = 600_000;

type Name = keyof LoadCommands;
type Answer<N extends Name> = Awaited<ReturnType<LoadCommands[N]>>;

/** The load generator, in its own process: its work must not be measured with the server's. */
export class LoadProcess implements Disposable {
  private readonly child: ChildProcess;

  constructor() {
    this.child = fork(MAIN, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.unref();
  }

  /** Runs a command; one at a time. */
  call<N extends Name>(name: N, options: Parameters<LoadCommands[N]>[0]): Promise<Answer<N>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(new Error(`the load's ${name} took too long`)), COMMAND_TIMEOUT_MS);
      const onExit = () => finish(new Error(`the load ended during ${name}`));
      const onMessage = (message: { readonly answer?: Answer<N>; readonly error?: string }) =>
        finish(message.error === undefined ? undefined : new Error(message.error), message.answer);
      const finish = (error?: Error, answer?: Answer<N>) => {
        clearTimeout(timer);
        this.child.off('exit', onExit).off('message', onMessage);
        if (error) reject(error);
        else resolve(answer as Answer<N>);
      };
      this.child.on('exit', onExit).on('message', onMessage);
      this.child.send({ name, options });
    });
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}
