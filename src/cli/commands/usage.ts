import { AdminSession } from '../admin-session.js';
import type { Command } from '../command.js';
import { UsageError } from '../faults.js';
import { checkChoice, LIST_OPTIONS, readLimit, readOptions, readTarget, TENANT_OPTION } from '../options.js';

interface Usage {
  readonly tenant: string;
  readonly channel?: string;
  readonly sender?: string;
  readonly agent?: string;
  readonly model?: string;
  readonly answers: number;
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  readonly cost: number;
}

/** Digits of a sum of money that are shown after its point. */
const COST_DIGITS = 4;

const OPTIONS = {
  ...LIST_OPTIONS,
  by: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  ...TENANT_OPTION,
} as const;

/** `openclaw usage`: what models have used. */
export const usage: Command = {
  name: 'usage',
  summary: 'tokens that models have used, and what they cost',
  usage: `Usage: openclaw usage [--by tenant|sender|agent|model] [--from TIME] [--to TIME] [--tenant NAME] [--limit N] [--json]

Sums what models have used, by default of today.

  --by KEY       what is summed (default: tenant)
  --from, --to   a date or a time, for example 2026-11-27 or 2026-11-27T08:00Z
  --tenant NAME  one tenant, for operators of all
  --limit N      at most N (default: 100)
  --url URL      where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json         print the response as JSON

Examples:
  openclaw usage --by model --from 2026-11-01
  openclaw usage --by sender --tenant acme --json
`,
  async run(args, terminal) {
    const { values } = readOptions('usage', args, OPTIONS);
    const session = new AdminSession(terminal, readTarget('usage', values.url, terminal, values.tenant), values.json);
    const { by } = values;
    checkChoice('usage', '--by', by, ['tenant', 'sender', 'agent', 'model']);
    const query = { by, from: readTime('from', values.from), to: readTime('to', values.to) };
    const page = await session.list<Usage>('usage', query, readLimit('usage', values.limit));
    const head = ['TENANT', ...(by === undefined || by === 'tenant' ? [] : [by.toUpperCase()])];
    return session.printList(page, [...head, 'ANSWERS', 'INPUT', 'CACHED', 'OUTPUT', 'COST'], (row) => [
      row.tenant,
      ...(head.length > 1 ? [row.model ?? row.agent ?? `${row.channel ?? ''} ${row.sender ?? ''}`] : []),
      ...[row.answers, row.input_tokens, row.cached_input_tokens, row.output_tokens].map(String),
      row.cost.toFixed(COST_DIGITS),
    ]);
  },
};

function readTime(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new UsageError(`--${name} must be a date or a time, not ${text}`, 'usage');
  return String(time);
}
