import { createRequire } from 'node:module';

/** The destination of finished log lines. */
export interface LogOutput {
  write(line: string): void;
}

/**
 * Characters that can move a terminal's cursor, forge a line or reverse text: C0, DEL, C1, line separators, bidi
 * controls.
 */
// oxlint-disable-next-line no-control-regex -- these characters must not reach the terminal
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The same characters where JSON does not escape them; they do the same harm when the file is shown in a terminal. */
// oxlint-disable-next-line no-control-regex -- see above
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const asEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Escapes the unsafe characters in a JSON line that JSON itself leaves as they are. */
export function escapeJsonLine(line: string): string {
  return line.replaceAll(UNSAFE_IN_JSON, asEscape);
}

type Prettify = (record: object) => string;
type PrettyModule = { readonly prettyFactory: (options: object) => Prettify };

/**
 * Converts JSON lines to human-readable lines and writes them to `output` synchronously (no thread, and no buffer that
 * a crash could lose). pino-pretty is loaded with the first line.
 */
export class PrettyLines implements LogOutput {
  private prettify: Prettify | undefined;

  constructor(private readonly output: LogOutput) {}

  write(line: string): void {
    this.prettify ??= loadPretty();
    this.output.write(this.prettify(escape(JSON.parse(line), '') as object));
  }
}

function loadPretty(): Prettify {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as PrettyModule;
  return prettyFactory({
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'subsystem',
    errorLikeObjectKeys: ['error', 'cause'],
    messageFormat: (record: { subsystem?: string; msg?: string }) => `${record.subsystem ?? ''} ${record.msg ?? ''}`,
  });
}

/** Keeps the line breaks of a stack: its lines are indented, so none can look like a log record. */
function escape(value: unknown, key: string): unknown {
  if (typeof value === 'string') {
    return key === 'stack' ? value.split('\n').map(escapeText).join('\n') : escapeText(value);
  }
  if (Array.isArray(value)) return value.map((child) => escape(child, ''));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [escapeText(name), escape(child, name)]));
}

function escapeText(text: string): string {
  return text.replaceAll(UNSAFE, asEscape);
}
