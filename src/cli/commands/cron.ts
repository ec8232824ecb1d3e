import type { Command } from '../command.js';
import { readJobOptions, JOB_OPTIONS, type JobValues } from './cron-options.js';
import { EXIT, UsageError } from '../faults.js';
import { requestDone, requestJson } from '../http.js';
import { GATEWAY_OPTIONS, readOptions, readTarget, TENANT_OPTION, type GatewayTarget } from '../options.js';
import { formatTable } from '../table.js';
import { makeTable } from '../tenant-column.js';
import { printable, printJson, type Terminal } from '../terminal.js';

const PATH = '/admin/v1/cron/jobs';
const PAGE = 200;
const WEB_CHAT = 'webchat';

interface Chat {
  readonly channel?: string;
}

interface Job {
  readonly job_id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly words: string;
  readonly schedule: { readonly timezone: string };
  readonly target: Chat & { readonly deliver_to?: Chat };
  readonly next: readonly number[];
  readonly failures: number;
  readonly stopped?: string;
}

interface Run {
  readonly due: number;
  readonly kind: string;
  readonly status: string;
  readonly reason?: string;
  readonly attempts: number;
  readonly started?: number;
  readonly ended?: number;
  readonly count?: number;
}

interface Session {
  readonly terminal: Terminal;
  readonly target: GatewayTarget;
  readonly isJson: boolean;
}

/** `openclaw cron`: jobs that speak to an agent at a time. */
export const cron: Command = {
  name: 'cron',
  summary: 'jobs: list, add, edit, remove, enable, disable, run, history, next',
  usage: `Usage: openclaw cron [list] [--tenant T] [--url URL] [--json]
       openclaw cron add --name NAME (--cron EXPR | --every 10s | --at TIME | --on-event EVENT) --message TEXT
                         (--channel C (--sender S | --group G [--thread T]) | --isolated [--deliver-to C/CHAT]) [OPTIONS]
       openclaw cron edit ID [OPTIONS]
       openclaw cron remove|enable|disable|run ID [--url URL] [--json]
       openclaw cron history|next ID [--count N] [--url URL] [--json]

add, edit  answer with the schedule in words and the coming times
run        starts a job now
history    the last runs, and what was skipped and why
next       the coming ten times

  --timezone ZONE         region and city, such as Europe/Paris (default: cron.timezone of the gateway)
  --node ID               with --on-event: only of this node
  --deliver-to C/CHAT     where the answer of an isolated job goes: telegram/5001, or telegram/group:-1009/7 for a thread
  --agent ID              the agent that answers
  --misfire P             what was missed while nothing ran: latest (default), skip or all
  --grace 1h              a missed time that is older is not made up for
  --overlap P             while the last run has not ended: skip (default), queue or cancel_running
  --jitter 30s, --timeout 10m, --retries N, --max-runs N, --expires TIME, --approval-wait 1h, --min-interval 10s
  --cancel                with remove: also cancel the turn that runs
  --tenant T              one tenant, for operators of all
  --url URL               where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json                  print the response as JSON

Examples:
  openclaw cron add --name news --cron '0 8 * * 1-5' --timezone Europe/Paris --message 'What is new?' --channel telegram --sender 5001
  openclaw cron next j00mg3k9x2a1b2c3d4e5
`,
  async run(args, terminal) {
    const own = { count: { type: 'string' }, cancel: { type: 'boolean' }, ...TENANT_OPTION } as const;
    const { values, positionals } = readOptions('cron', args, { ...GATEWAY_OPTIONS, ...JOB_OPTIONS, ...own }, true);
    const target = readTarget('cron', values.url, terminal, values.tenant);
    const session = { terminal, target, isJson: values.json ?? false };
    const [action = 'list', ...rest] = positionals;
    return act(session, action, readId(action, rest), values);
  },
};

/** Returns the ID of the job that an action is for; empty where it is for none. @throws UsageError */
function readId(action: string, [id, second]: readonly string[]): string {
  const needsId = !['list', 'add'].includes(action);
  if (!ACTIONS.includes(action)) throw new UsageError(`cron knows ${ACTIONS.join(', ')}, not ${action}`, 'cron');
  if (needsId && id === undefined) throw new UsageError(`${action} needs the ID of a job`, 'cron');
  const extra = needsId ? second : id;
  if (extra !== undefined) throw new UsageError(`Unexpected argument ${extra}`, 'cron');
  return id ?? '';
}

type Values = JobValues & { readonly count?: string | undefined; readonly cancel?: boolean | undefined };

async function act(session: Session, action: string, id: string, values: Values): Promise<number> {
  const { terminal, target } = session;
  const path = `${PATH}/${encodeURIComponent(id)}`;
  switch (action) {
    case 'add':
      return showChange(session, await send(session, 'POST', PATH, readJobOptions(values, true)));
    case 'edit':
      return showChange(session, await send(session, 'PATCH', path, readJobOptions(values, false)));
    case 'enable':
    case 'disable':
      return showJob(session, await send(session, 'PATCH', path, { enabled: action === 'enable' }));
    case 'remove':
      return remove(session, `${path}?running=${values.cancel ? 'cancel' : 'keep'}`, id);
    case 'run':
      return showRuns(session, [await requestJson<Run>(terminal, target, `${path}/run`, { method: 'POST' })]);
    case 'history': {
      const limit = readCount(values.count, PAGE, 20);
      return showRuns(session, (await ask<{ items: Run[] }>(session, `${path}/runs?limit=${limit}`)).items);
    }
    case 'next':
      return showTimes(session, `${path}/next?count=${readCount(values.count, 1_000, 10)}`);
    default:
      return list(session);
  }
}

const ACTIONS = ['list', 'add', 'edit', 'remove', 'enable', 'disable', 'run', 'history', 'next'];

async function list(session: Session): Promise<number> {
  const items: Job[] = [];
  for (let path: string | undefined = `${PATH}?limit=${PAGE}`; path !== undefined;) {
    const page: { items: Job[]; next?: string } = await ask(session, path);
    items.push(...page.items);
    path = page.next === undefined ? undefined : `${PATH}?limit=${PAGE}&cursor=${page.next}`;
  }
  const toRow = (job: Job) => [
    job.job_id,
    job.name,
    job.enabled ? 'yes' : 'no',
    job.words,
    toLocal(job.next[0], job.schedule.timezone),
    job.stopped ?? (job.failures > 0 ? `${job.failures} failures` : ''),
  ];
  const head = ['ID', 'NAME', 'ENABLED', 'SCHEDULE', 'NEXT', 'TROUBLE'];
  return print(session, { items }, await makeTable(session, head, items, toRow));
}

/** Prints a job, and a warning when no driver would receive its answers now. Pages of the web chat come and go. */
async function showChange(session: Session, job: Job): Promise<number> {
  const channel = job.target.channel ?? job.target.deliver_to?.channel ?? WEB_CHAT;
  const { connected_channels: connected = [] } =
    channel === WEB_CHAT ? {} : await ask<{ connected_channels?: readonly string[] }>(session, '/health');
  const { stderr } = session.terminal;
  if (channel !== WEB_CHAT && !connected.includes(channel))
    stderr.write(
      printable(
        `No driver of channel ${channel} is connected now: answers do not reach the chat until one is.\n`,
        stderr,
      ),
    );
  return showJob(session, job);
}

function showJob(session: Session, job: Job): number {
  const { timezone } = job.schedule;
  const rows = [
    [job.job_id, job.enabled ? job.name : `${job.name} (disabled)`],
    ['schedule', `${job.words} (${timezone})`],
    ...job.next.map((time, index) => [index === 0 ? 'next' : '', toLocal(time, timezone)]),
  ];
  return print(session, job, rows);
}

function showRuns(session: Session, items: readonly Run[]): number {
  const rows = items.map((run) => [
    toTime(run.due),
    run.kind,
    run.count === undefined ? run.status : `${run.status} ${run.count} times`,
    toTime(run.started),
    toTime(run.ended),
    String(run.attempts),
    run.reason ?? '',
  ]);
  return print(session, { items }, [['DUE', 'KIND', 'STATUS', 'STARTED', 'ENDED', 'TRIES', 'REASON'], ...rows]);
}

async function showTimes(session: Session, path: string): Promise<number> {
  const times = await ask<{ items: number[]; timezone: string }>(session, path);
  return print(
    session,
    times,
    times.items.map((time) => [toLocal(time, times.timezone)]),
  );
}

async function remove(session: Session, path: string, id: string): Promise<number> {
  const { terminal, target } = session;
  await requestDone(terminal, target, path, { method: 'DELETE' });
  return print(session, { removed: id }, [[id, 'removed']]);
}

function ask<T>({ terminal, target }: Session, path: string): Promise<T> {
  return requestJson<T>(terminal, target, path);
}

function send({ terminal, target }: Session, method: string, path: string, body: object): Promise<Job> {
  return requestJson<Job>(terminal, target, path, { method, body: JSON.stringify(body) });
}

function readCount(text: string | undefined, max: number, byDefault: number): number {
  if (text === undefined) return byDefault;
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= max) return Number(text);
  throw new UsageError(`--count must be from 1 to ${max}`, 'cron');
}

const toTime = (time: number | undefined) =>
  time === undefined ? '-' : `${new Date(time).toISOString().slice(0, 19)}Z`;

/** Formats a time as the clock of a zone shows it, with the weekday. */
function toLocal(time: number | undefined, timeZone: string): string {
  if (time === undefined) return '-';
  const format = { dateStyle: 'full', timeStyle: 'long', timeZone } as const;
  return new Intl.DateTimeFormat('en-GB', format).format(time);
}

function print({ terminal, isJson }: Session, body: unknown, table: readonly (readonly string[])[]): number {
  const { stdout } = terminal;
  if (isJson) printJson(terminal, body);
  else stdout.write(printable(formatTable(table), stdout));
  return EXIT.done;
}
