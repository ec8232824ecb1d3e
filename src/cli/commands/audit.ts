import type { Command } from '../command.js';
import { saveChecked } from '../download.js';
import { EXIT, UsageError } from '../faults.js';
import { requestJson, requestStream } from '../http.js';
import { EndOfLines } from '../json-lines.js';
import { GATEWAY_OPTIONS, readOptions, readTarget, type GatewayTarget } from '../options.js';
import { formatTable } from '../table.js';
import { printable, printJson, type Terminal } from '../terminal.js';

const PATH = '/admin/v1/audit';
/** Rows that a list shows unless --limit says otherwise. */
const DEFAULT_ROWS = 50;
const MAX_PAGE = 200;
/** A check reads the whole trail. */
const VERIFY_TIMEOUT_MS = 600_000;

const OPTIONS = {
  ...GATEWAY_OPTIONS,
  actor: { type: 'string' },
  action: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  limit: { type: 'string' },
  known: { type: 'string' },
} as const;

interface AuditRow {
  readonly entry: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly subject?: string;
  readonly person?: { readonly channel: string; readonly sender: string };
}

interface Verdict {
  readonly ok: boolean;
  readonly head: { readonly entry: number; readonly hash: string };
  readonly oldest?: number;
  readonly broken_at?: number;
  readonly fault?: 'missing' | 'changed' | 'differs';
}

/** `openclaw audit`: the trail of administrative changes. */
export const audit: Command = {
  name: 'audit',
  summary: 'trail of administrative changes: list, export, verify',
  usage: `Usage: openclaw audit [list] [--actor NAME] [--action NAME] [--from TIME] [--to TIME] [--limit N] [--json]
       openclaw audit export FILE [--actor NAME] [--action NAME] [--from TIME] [--to TIME]
       openclaw audit verify [--known ENTRY:HASH] [--json]

list    who changed what, newest first
export  writes all rows to FILE as JSON lines; the file exists only if the export is complete
verify  checks that no row was changed or removed; exit code 1 if one was

  --from, --to  a date or a time, for example 2026-11-27 or 2026-11-27T08:00Z
  --limit N     how many rows a list has (default ${DEFAULT_ROWS})
  --known       a head that was noted before: the trail must still have it, or a later retention
  --url URL     where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json        print the response as JSON

Examples:
  openclaw audit --action settings.change --from 2026-11-01
  openclaw audit export audit.jsonl --actor ann
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('audit', args, OPTIONS, true);
    const target = readTarget('audit', values.url, terminal);
    const [action = 'list', file, ...rest] = positionals;
    const unexpected = action === 'export' ? rest[0] : file;
    if (unexpected !== undefined) throw new UsageError(`Unexpected argument ${unexpected}`, 'audit');
    const filters = readFilters(values);
    switch (action) {
      case 'list':
        return list(terminal, target, filters, { limit: readLimit(values.limit), isJson: values.json ?? false });
      case 'export':
        if (file === undefined) throw new UsageError('export needs a FILE', 'audit');
        return exportTo(terminal, target, filters, file);
      case 'verify':
        return verify(terminal, target, { known: values.known, isJson: values.json ?? false });
      default:
        throw new UsageError(`audit knows list, export and verify, not ${action}`, 'audit');
    }
  },
};

function readFilters(values: { [N in 'actor' | 'action' | 'from' | 'to']?: string | undefined }): URLSearchParams {
  const filters = new URLSearchParams();
  for (const name of ['actor', 'action'] as const) if (values[name] !== undefined) filters.set(name, values[name]);
  for (const name of ['from', 'to'] as const) {
    const text = values[name];
    if (text === undefined) continue;
    const time = Date.parse(text);
    if (Number.isNaN(time)) throw new UsageError(`--${name} must be a date or a time, not ${text}`, 'audit');
    filters.set(name, String(time));
  }
  return filters;
}

function readLimit(text = String(DEFAULT_ROWS)): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--limit must be a number of rows, not ${text}`, 'audit');
  return Number(text);
}

async function list(
  terminal: Terminal,
  target: GatewayTarget,
  filters: URLSearchParams,
  { limit, isJson }: { readonly limit: number; readonly isJson: boolean },
): Promise<number> {
  const items: AuditRow[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined && items.length < limit;) {
    filters.set('limit', String(Math.min(MAX_PAGE, limit - items.length)));
    if (cursor) filters.set('cursor', cursor);
    const page: { items: AuditRow[]; next?: string } = await requestJson(
      terminal,
      target,
      `${PATH}?${filters.toString()}`,
    );
    items.push(...page.items);
    cursor = page.next;
  }
  if (isJson) printJson(terminal, { items });
  else terminal.stdout.write(printable(formatTable([HEADINGS, ...items.map(toCells)]), terminal.stdout));
  return EXIT.done;
}

const HEADINGS = ['ENTRY', 'TIME', 'ACTOR', 'ACTION', 'TARGET', 'PERSON'];

function toCells({ entry, at, actor, action, target, subject = '', person }: AuditRow): readonly string[] {
  const who = person ? `${person.channel}/${person.sender}` : subject;
  return [String(entry), new Date(at).toISOString().slice(0, 19), actor, action, target, who];
}

async function exportTo(
  terminal: Terminal,
  target: GatewayTarget,
  filters: URLSearchParams,
  file: string,
): Promise<number> {
  const body = await requestStream(terminal, target, `${PATH}/export?${filters.toString()}`);
  const end = new EndOfLines();
  await saveChecked(body, file, end);
  terminal.stdout.write(`${end.items} rows in ${file}\n`);
  return EXIT.done;
}

async function verify(
  terminal: Terminal,
  target: GatewayTarget,
  { known, isJson }: { readonly known: string | undefined; readonly isJson: boolean },
): Promise<number> {
  const path = `${PATH}/verify${known === undefined ? '' : `?known=${encodeURIComponent(known)}`}`;
  const verdict = await requestJson<Verdict>(terminal, target, path, {}, VERIFY_TIMEOUT_MS);
  const { ok, head } = verdict;
  if (isJson) printJson(terminal, verdict);
  else if (ok)
    terminal.stdout.write(`intact: rows ${verdict.oldest} to ${head.entry}\nhead ${head.entry}:${head.hash}\n`);
  else terminal.stderr.write(`${describeFault(verdict)}\n`);
  return ok ? EXIT.done : EXIT.failed;
}

function describeFault({ broken_at: row, fault }: Verdict): string {
  if (fault === 'differs')
    return `the trail differs from the noted head at row ${row}: it is another copy, or rows were changed`;
  return `not intact: row ${row} is ${fault}`;
}
