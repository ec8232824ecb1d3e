import { systemTimers } from '../../client/index.js';
import { LOG_LEVELS, SUBSYSTEMS } from '../../core/telemetry/logs.js';
import type { Command } from '../command.js';
import { readEvents } from '../event-stream.js';
import { EXIT, RefusedError, UnreachableError, UsageError } from '../faults.js';
import { requestJson, requestStream } from '../http.js';
import { checkChoice, GATEWAY_OPTIONS, readOptions, readTarget, type GatewayTarget } from '../options.js';
import { painter, printable, type Terminal, toJson } from '../terminal.js';

const PATH = '/admin/v1/logs';
const DEFAULT_LINES = 50;
const MAX_PAGE = 200;
const MIN_RETRY_MS = 250;
const MAX_RETRY_MS = 10_000;
const COLOURS: Readonly<Record<string, 'red' | 'yellow' | undefined>> = { error: 'red', warn: 'yellow' };

const OPTIONS = {
  ...GATEWAY_OPTIONS,
  filter: { type: 'string' },
  level: { type: 'string' },
  search: { type: 'string' },
  lines: { type: 'string', short: 'n' },
  follow: { type: 'boolean', short: 'f' },
} as const;

interface LogLine {
  readonly id: string;
  readonly at: number;
  readonly level: string;
  readonly subsystem: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** `openclaw logs`: the newest lines of the logs of a running gateway. */
export const logs: Command = {
  name: 'logs',
  summary: 'logs of a running gateway; --follow shows them live',
  usage: `Usage: openclaw logs [--filter SUBSYSTEM] [--level L] [--search TEXT] [-n N] [--follow] [--url URL] [--json]

Shows the newest lines of the logs, oldest first. The gateway has the last 10,000 in memory; secrets are hidden.

  --filter SUBSYSTEM  of one part: ${SUBSYSTEMS.join(', ')}
  --level L           from this level on: ${LOG_LEVELS.join(', ')}
  --search TEXT       with this text in the line
  -n, --lines N       how many lines to begin with (default ${DEFAULT_LINES})
  -f, --follow        then shows lines as they are written, until Ctrl-C; connects again after a restart of the gateway
  --url URL           where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json              print each line as JSON

It needs a credential with the scope admin:read. Lines that are missing are marked on standard error.

Examples:
  openclaw logs --filter gateway
  openclaw logs --level warn --follow
`,
  async run(args, terminal) {
    const { values } = readOptions('logs', args, OPTIONS);
    const { filter, level, search, lines = String(DEFAULT_LINES), follow = false } = values;
    checkChoice('logs', '--filter', filter, SUBSYSTEMS);
    checkChoice('logs', '--level', level, LOG_LEVELS);
    if (!/^\d{1,5}$/.test(lines)) throw new UsageError(`--lines must be a number, not ${lines}`, 'logs');
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ subsystem: filter, level, q: search }))
      if (value !== undefined) query.set(name, value);
    const session: Session = {
      terminal,
      target: readTarget('logs', values.url, terminal),
      query,
      print: (line) => terminal.stdout.write(values.json ? `${toJson(line)}\n` : describe(terminal, line)),
    };
    const last = await printNewest(session, Number(lines));
    if (follow) await followFrom(session, last);
    return EXIT.done;
  },
};

interface Session {
  readonly terminal: Terminal;
  readonly target: GatewayTarget;
  readonly query: URLSearchParams;
  readonly print: (line: LogLine) => void;
}

/** Prints the newest lines, oldest first. Returns the id of the newest; undefined if there is none. */
async function printNewest({ terminal, target, query, print }: Session, count: number): Promise<string | undefined> {
  const found: LogLine[] = [];
  // The newest line of all is where following begins, whether it is shown or not.
  const [newest] = (await requestJson<{ items: LogLine[] }>(terminal, target, `${PATH}?limit=1`)).items;
  for (let cursor: string | undefined = ''; cursor !== undefined && found.length < count;) {
    const page = new URLSearchParams(query);
    page.set('limit', String(Math.min(MAX_PAGE, count - found.length)));
    if (cursor) page.set('cursor', cursor);
    const { items, next } = await requestJson<{ items: LogLine[]; next?: string }>(
      terminal,
      target,
      `${PATH}?${page.toString()}`,
    );
    found.push(...items);
    cursor = next;
  }
  for (const line of found.toReversed()) print(line);
  return found[0]?.id ?? newest?.id;
}

/** Prints lines as they are written, until Ctrl-C. A gateway that has answered once may be away for a while. */
async function followFrom(session: Session, from: string | undefined): Promise<void> {
  const stop = new AbortController();
  const stopListening = session.terminal.onInterrupt(() => stop.abort());
  let last = from;
  let delayMs = MIN_RETRY_MS;
  while (!stop.signal.aborted) {
    try {
      for await (const event of await open(session, last, stop.signal)) {
        delayMs = MIN_RETRY_MS;
        if (event.event === 'reset') session.terminal.stderr.write('--- gap: gateway restarted ---\n');
        else if (event.event === 'message') session.print(JSON.parse(event.data) as LogLine);
        last = event.id ?? last;
      }
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
    await pause(session.terminal, delayMs * (0.5 + Math.random() / 2), stop.signal);
    delayMs = Math.min(delayMs * 2, MAX_RETRY_MS);
  }
  stopListening();
}

async function open({ terminal, target, query }: Session, last: string | undefined, signal: AbortSignal) {
  const path = `${PATH}?${new URLSearchParams([...query, ['follow', 'true']]).toString()}`;
  const headers = { accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': last }) };
  return readEvents(await requestStream(terminal, target, path, { headers, signal }));
}

/** Returns true for failures after which another try can succeed: no response, a stop, a lost connection. */
function isTransient(error: unknown): boolean {
  if (error instanceof RefusedError) return error.status >= 500 || error.status === 429;
  // A body that ends early is a TypeError of fetch, or an AbortError after Ctrl-C.
  return error instanceof UnreachableError || error instanceof TypeError || (error as Error).name === 'AbortError';
}

function pause({ timers = systemTimers }: Terminal, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const cancel = timers.setTimer(ms, resolve);
    signal.addEventListener('abort', () => {
      cancel();
      resolve();
    });
  });
}

function describe({ stdout, env }: Terminal, { at, level, subsystem, message, fields }: LogLine): string {
  const paint = painter(stdout, env);
  const colour = COLOURS[level];
  const time = new Date(at).toISOString().slice(0, 23);
  const name = level.toUpperCase().padEnd(5);
  const rest = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const line = `${subsystem} ${message}${rest.join('')}`.replaceAll(/[\r\n]+/g, ' ');
  return `${time} ${colour === undefined ? name : paint(colour, name)} ${printable(line, stdout)}\n`;
}
