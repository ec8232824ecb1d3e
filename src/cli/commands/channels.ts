import type { Command } from '../command.js';
import { runAdd } from './channels-add.js';
import { runDeadLetters } from './dead-letters.js';
import { EXIT, UsageError } from '../faults.js';
import { requestDone, requestJson } from '../http.js';
import { GATEWAY_OPTIONS, readOptions, readTarget, type GatewayTarget } from '../options.js';
import { formatTable } from '../table.js';
import { printable, printJson, type Terminal } from '../terminal.js';

/** Time for a platform to respond, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** A row of `GET /channels`. */
export interface Channel {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
  readonly since: number;
  readonly last_in_at?: number;
  readonly last_out_at?: number;
  readonly dead_letters: number;
  readonly turned_away?: number;
  readonly lost_replies?: number;
  readonly lost_reason?: string;
}

interface Pairing {
  readonly sender: string;
  readonly code: string;
  readonly asked_at: number;
  readonly expires_at: number;
}

interface Sender {
  readonly sender: string;
  readonly approved_at: number;
}

interface Checked {
  readonly speaks_as?: string;
  readonly remarks: readonly string[];
}

interface Session {
  readonly terminal: Terminal;
  readonly target: GatewayTarget;
  readonly isJson: boolean;
}

/** `openclaw channels`: the channels of a gateway, and who may write to them. */
export const channels: Command = {
  name: 'channels',
  summary: 'channels: adding them, states, pairing codes, test messages, dead letters',
  usage: `Usage: openclaw channels [list] [--url URL] [--json]
       openclaw channels add NAME [--account ACCOUNT] [--set KEY=VALUE]... [--unchecked] [--url URL] [--json]
       openclaw channels start|stop|restart NAME [--url URL] [--json]
       openclaw channels check NAME [--url URL] [--json]
       openclaw channels test NAME CHAT [--url URL] [--json]
       openclaw channels pairings NAME [--url URL] [--json]
       openclaw channels approve NAME CODE [--url URL] [--json]
       openclaw channels senders NAME [--url URL] [--json]
       openclaw channels revoke NAME SENDER [--url URL] [--json]
       openclaw channels dead-letters ...

list          the channels with their states, and when something last came in and went out
add           asks for what a channel needs, checks it with the platform, stores it and starts the channel; secrets come
              from a question or from OPENCLAW_CHANNELS_NAME_KEY, or _FILE, and are never shown
start, stop   a channel, until the gateway starts again
check         asks the platform whom the gateway speaks as, and what is missing
test          sends a message to a chat and prints whether the platform has taken it
pairings      the senders who wait to be let in; approve lets in the one with this code
senders       the senders who were let in; revoke puts one out, or discards the request of one who waits
dead-letters  what could not be delivered: see openclaw dead-letters --help

  --url URL  where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the response as JSON

Examples:
  openclaw channels add telegram
  openclaw channels approve telegram K7M2P9QX
  openclaw channels test telegram 5001
`,
  async run(args, terminal) {
    if (args[0] === 'add') return runAdd(args.slice(1), terminal);
    if (args[0] === 'dead-letters') return runDeadLetters('channels', args.slice(1), terminal);
    const { values, positionals } = readOptions('channels', args, GATEWAY_OPTIONS, true);
    const target = readTarget('channels', values.url, terminal);
    const session = { terminal, target, isJson: values.json ?? false };
    const [action = 'list', name, third, ...rest] = positionals;
    const wanted = NEEDS[action];
    if (wanted === undefined)
      throw new UsageError(
        `channels knows add, ${Object.keys(NEEDS).join(', ')} and dead-letters, not ${action}`,
        'channels',
      );
    const given = [name, third, ...rest].filter((text) => text !== undefined);
    if (given.length < wanted.length) throw new UsageError(`${action} needs ${wanted.join(' and ')}`, 'channels');
    if (given.length > wanted.length) throw new UsageError(`Unexpected argument ${given[wanted.length]}`, 'channels');
    return act(session, action, name ?? '', third ?? '');
  },
};

/** What each action needs. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  list: [],
  start: ['NAME'],
  stop: ['NAME'],
  restart: ['NAME'],
  check: ['NAME'],
  test: ['NAME', 'CHAT'],
  pairings: ['NAME'],
  approve: ['NAME', 'CODE'],
  senders: ['NAME'],
  revoke: ['NAME', 'SENDER'],
};

async function act(session: Session, action: string, name: string, third: string): Promise<number> {
  const path = `/admin/v1/channels/${encodeURIComponent(name)}`;
  switch (action) {
    case 'list':
      return list(session);
    case 'test':
      return test(session, path, third);
    case 'check': {
      const checked = await ask<Checked>(session, `${path}/check`, { method: 'POST' });
      const { speaks_as: speaker, remarks } = checked;
      const first = speaker === undefined ? `${name} cannot be checked` : `${name} speaks as ${speaker}`;
      return print(session, checked, [[first], ...remarks.map((remark) => [remark])]);
    }
    case 'pairings': {
      const body = await ask<{ items: Pairing[] }>(session, `${path}/pairings`);
      const rows = body.items.map(({ sender, code, asked_at: asked, expires_at: until }) => [
        sender,
        code,
        toTime(asked),
        toTime(until),
      ]);
      return print(session, body, [['SENDER', 'CODE', 'ASKED', 'UNTIL'], ...rows]);
    }
    case 'senders': {
      const body = await ask<{ items: Sender[] }>(session, `${path}/senders`);
      const rows = body.items.map(({ sender, approved_at: at }) => [sender, toTime(at)]);
      return print(session, body, [['SENDER', 'LET IN'], ...rows]);
    }
    case 'revoke': {
      const sender = `${path}/senders/${encodeURIComponent(third)}`;
      await requestDone(session.terminal, session.target, sender, { method: 'DELETE' });
      return print(session, { sender: third }, [[`${third} may not write to ${name} any more`]]);
    }
    case 'approve': {
      const pairing = await post<Pairing>(session, `${path}/pairings/${encodeURIComponent(third)}/approve`);
      return print(session, pairing, [[`${pairing.sender} may write to ${name} now`]]);
    }
    default: {
      const channel = await post<Channel>(session, `${path}/${action}`);
      return print(session, channel, [[channel.name, channel.state, channel.reason ?? '']]);
    }
  }
}

async function list(session: Session): Promise<number> {
  const body = await ask<{ items: Channel[] }>(session, '/admin/v1/channels');
  const rows = body.items.map((channel) => [
    channel.name,
    channel.state,
    toTime(channel.since),
    toTime(channel.last_in_at),
    toTime(channel.last_out_at),
    String(channel.dead_letters),
    describeTrouble(channel),
  ]);
  const head = ['CHANNEL', 'STATE', 'SINCE', 'LAST IN', 'LAST OUT', 'DEAD', 'REASON'];
  return print(session, body, [head, ...rows]);
}

/** Says why a channel works in part only, and what did not reach its platform. */
function describeTrouble({
  reason,
  turned_away: away = 0,
  lost_replies: lost = 0,
  lost_reason: why = '',
}: Channel): string {
  const replies = lost === 1 ? 'a reply was' : `${lost} replies were`;
  const codes = `${away} messages of people who got no code, because three wait (openclaw channels pairings)`;
  return [reason, away > 0 && codes, lost > 0 && `${replies} lost: ${why}`].filter(Boolean).join('; ');
}

async function test(session: Session, path: string, chat: string): Promise<number> {
  const init = { method: 'POST', body: JSON.stringify({ chat }) };
  const result = await requestJson<{ state: string; reason?: string }>(
    session.terminal,
    session.target,
    `${path}/test`,
    init,
    TIMEOUT_MS,
  );
  print(session, result, [[result.state, result.reason ?? '']]);
  return result.state === 'sent' ? EXIT.done : EXIT.failed;
}

const toTime = (time: number | undefined) => (time === undefined ? '-' : new Date(time).toISOString().slice(0, 19));

function ask<T>({ terminal, target }: Session, path: string, init: RequestInit = {}): Promise<T> {
  return requestJson<T>(terminal, target, path, init, TIMEOUT_MS);
}

function post<T>(session: Session, path: string): Promise<T> {
  return ask<T>(session, path, { method: 'POST' });
}

function print({ terminal, isJson }: Session, body: unknown, table: readonly string[][]): number {
  const { stdout } = terminal;
  if (isJson) printJson(terminal, body);
  else stdout.write(printable(formatTable(table), stdout));
  return EXIT.done;
}
