import { hostname, userInfo } from 'node:os';
import type { SocketConstructor, Timers } from '../client/index.js';

/** Where text goes. Colours and lines that replace others are for terminals only. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Everything a command sees of the world, so that tests can be the world. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Results only, so that they can be piped. */
  readonly stdout: Output & NodeJS.WritableStream;
  /** Notes, faults and progress. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof fetch;
  /** Who and where, for names that stay the same from one run to the next. */
  readonly user: string;
  readonly host: string;
  /** Calls `listener` at each Ctrl-C instead of ending the process; the answer ends that. */
  onInterrupt(listener: () => void): () => void;
  /** For tests; the platform's own otherwise. */
  readonly WebSocket?: SocketConstructor;
  readonly timers?: Timers;
}

/** This process. */
export function systemTerminal(): Terminal {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    fetch,
    user: currentUser(),
    host: hostname(),
    onInterrupt(listener) {
      process.on('SIGINT', listener);
      return () => process.off('SIGINT', listener);
    },
  };
}

/** A container may run under a number that has no name. */
function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'user';
  }
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/** Styles text for `output`: on terminals only, and not where `NO_COLOR` is set (no-color.org). */
export function painter(output: Output, env: Terminal['env']): (style: Style, text: string) => string {
  if (!output.isTTY || env['NO_COLOR']) return (_style, text) => text;
  return (style, text) => `\x1b[${CODES[style][0]}m${text}\x1b[${CODES[style][1]}m`;
}
