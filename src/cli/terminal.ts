import { hostname, userInfo } from 'node:os';
import type { SocketConstructor, Timers } from '../client/index.js';
import { replaceInvisible } from '../protocol/visible-text.js';
import { readLocalToken } from './local-token.js';

/** Controls other than line break and tab, and those that change the order in which text is shown. */
const UNPRINTABLE = /(?![\n\t])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Returns foreign text as a terminal may show it: what is not printable becomes U+FFFD. For pipes text stays exact. */
export function printable(text: string, stream: { readonly isTTY?: boolean }): string {
  return stream.isTTY ? text.replaceAll('\r\n', '\n').replaceAll(UNPRINTABLE, '\uFFFD') : text;
}

/** An output stream. Colours and lines that replace others are for terminals only. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Returns a value as JSON that a terminal may show: what is not seen is escaped. @param indent spaces of a level */
export function toJson(value: unknown, indent?: number): string {
  return replaceInvisible(JSON.stringify(value, null, indent), escapeUnits);
}

function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

/** Prints a value as indented JSON, for programs. */
export function printJson({ stdout }: Pick<Terminal, 'stdout'>, value: unknown): void {
  stdout.write(`${toJson(value, 2)}\n`);
}

/** Everything outside the process that a command uses, so that tests can replace it. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** For results only, so that they can be piped. */
  readonly stdout: Output & NodeJS.WritableStream;
  /** For notes, errors and progress. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof fetch;
  /** Returns the local token of a gateway in open mode with these settings; undefined if there is none. */
  readLocalToken(): string | undefined;
  /** User and host, for names that are the same in each run. */
  readonly user: string;
  readonly host: string;
  /** Calls `listener` on each Ctrl-C instead of ending the process. Returns a function that unsubscribes it. */
  onInterrupt(listener: () => void): () => void;
  /** Replaced in tests; by default the platform's own. */
  readonly WebSocket?: SocketConstructor;
  readonly timers?: Timers;
}

/** Returns the terminal of this process. */
export function systemTerminal(): Terminal {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    fetch,
    readLocalToken: () => readLocalToken(process.env),
    user: currentUser(),
    host: hostname(),
    onInterrupt(listener) {
      process.on('SIGINT', listener);
      return () => process.off('SIGINT', listener);
    },
  };
}

/** A container may run under a user id without a name. */
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

/**
 * Returns a function that styles text for `output`: on terminals only, and not when `NO_COLOR` is set (no-color.org).
 */
export function painter(output: Output, env: Terminal['env']): (style: Style, text: string) => string {
  if (!output.isTTY || env['NO_COLOR']) return (_style, text) => text;
  return (style, text) => `\x1b[${CODES[style][0]}m${text}\x1b[${CODES[style][1]}m`;
}
