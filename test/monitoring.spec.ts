import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PrometheusMetrics } from '../src/telemetry/prometheus-metrics.js';
import { GatewayApp } from './support/gateway-app.js';
import { parsePrometheusText } from './support/prometheus-text.js';

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}
interface AlertRules {
  readonly groups: readonly { readonly rules: readonly AlertRule[] }[];
}
interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface RuleTests {
  readonly tests: readonly {
    readonly name: string;
    readonly input_series: readonly { readonly series: string }[];
    readonly promql_expr_test: readonly { readonly exp_samples: readonly { readonly labels: string }[] }[];
  }[];
}

const dashboardText = readFileSync('deploy/grafana/openclaw.json', 'utf8');
const dashboard = JSON.parse(dashboardText) as Dashboard;
const rules = (parse(readFileSync('deploy/prometheus/alerts.yaml', 'utf8')) as AlertRules).groups.flatMap(
  (group) => group.rules,
);
const TESTS_OF_RULES = 'deploy/prometheus/alerts.test.yaml';
const { tests: testsOfRules } = parse(readFileSync(TESTS_OF_RULES, 'utf8')) as RuleTests;
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const expressions = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
];

/** Words of PromQL, and labels that Prometheus adds. */
const WORDS = new Set(['sum', 'max', 'by', 'rate', 'increase', 'changes', 'absent', 'time', 'histogram_quantile']);
const ADDED_LABELS = ['instance', 'le'];

/** Values that all replicas share: the sum over replicas would be wrong. */
const SHARED =
  /\b(openclaw_queue_(messages|oldest_seconds)|openclaw_dead_letters|openclaw_channel_connected|openclaw_last_backup_timestamp_seconds)\b/;

const metrics = new PrometheusMetrics();
let served: ReturnType<typeof parsePrometheusText>;

beforeAll(async () => {
  const gateway = await GatewayApp.start({ metrics });
  const headers = { authorization: `Bearer ${gateway.localToken}` };
  served = parsePrometheusText(await (await fetch(`${gateway.url}/metrics`, { headers })).text());
  await gateway.close();
});

/** The label names of a metric, by the name that a query uses. */
function findLabels(name: string): readonly string[] | undefined {
  const base = served.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
  const type = served.get(base)?.type;
  if (type === undefined || (base !== name && type !== 'histogram') || (base === name && type === 'histogram'))
    return undefined;
  return metrics.families.find((family) => family.name === base)?.labels ?? [];
}

/** Returns what a query names and no gateway serves: metrics, and labels of them. */
function listUnknown(expr: string): readonly string[] {
  const bare = expr.replaceAll(/"[^"]*"/g, '""').replaceAll(/\[[^\]]*\]/g, '');
  const names = bare
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/by \([^)]*\)/g, '')
    .match(/[a-z_][a-z0-9_]*/g);
  const queried = (names ?? []).filter((name) => !WORDS.has(name));
  const known = new Set([...ADDED_LABELS, ...queried.flatMap((name) => findLabels(name) ?? [])]);
  const selectors = [...bare.matchAll(/([a-z_]+)(?:=~|!~|!=|=)""/g)].map(([, label = '']) => label);
  const groups = [...bare.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
  return [
    ...queried.filter((name) => findLabels(name) === undefined),
    ...[...selectors, ...groups].filter((label) => !known.has(label)),
  ];
}

describe.each([
  ['the dashboard of Grafana', dashboardText],
  ['the alert rules of Prometheus', readFileSync('deploy/prometheus/alerts.yaml', 'utf8')],
])('%s', (_, text) => {
  it('names no person, session or secret', () => {
    expect(text).not.toMatch(/session_id|sender|principal|token=/);
  });
});

describe('the queries of dashboard and alerts', () => {
  it('are there', () => {
    expect([dashboard.panels.length > 20, rules.length > 10]).toEqual([true, true]);
  });

  it.each(expressions)('[L-24] name metrics and labels that the gateway serves: %s', (_, expr) => {
    expect(listUnknown(expr)).toEqual([]);
  });

  it.each(expressions)('take the maximum of what replicas share: %s', (_, expr) => {
    if (SHARED.test(expr)) expect(expr).toMatch(/max( by \([a-z]+\))? ?\(openclaw/);
  });

  it('would be found wrong by these checks', () => {
    expect(listUnknown('rate(openclaw_turn_total[5m])')).toEqual(['openclaw_turn_total']);
    expect(listUnknown('sum by (agent) (rate(openclaw_turns_total{outcom="error"}[5m]))')).toEqual(['outcom', 'agent']);
    expect(listUnknown('rate(openclaw_turn_seconds[5m])')).toEqual(['openclaw_turn_seconds']);
  });
});

describe('the alert rules', () => {
  it('have a name of their own, a severity, a time and what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations, for: time } of rules) {
      expect([alert, ['critical', 'warning', 'info'].includes(labels.severity)]).toEqual([alert, true]);
      expect([alert, /^\d+m$/.test(time)]).toEqual([alert, true]);
      expect([alert, annotations.summary !== '', annotations.description !== '']).toEqual([alert, true, true]);
    }
  });

  it('[L-24] need no earlier sample of an error: its series is there from the start', () => {
    const errors = rules.flatMap(({ expr }) => [...expr.matchAll(/(openclaw_\w+)\{outcome="(\w+)"\}/g)]);
    expect(errors.length).toBeGreaterThan(2);
    for (const [, name = '', outcome] of errors)
      expect([name, served.get(name)?.samples.get(`${name}{outcome="${outcome}"}`)]).toEqual([name, 0]);
  });
});

describe('the tests of the alert rules', () => {
  it('[L-24] see each rule quiet and firing, with its severity', () => {
    const fired = testsOfRules.flatMap(({ promql_expr_test: steps }) =>
      steps.flatMap(({ exp_samples: samples }) => samples.map(({ labels }) => labels)),
    );
    for (const { alert, labels } of rules) {
      const own = fired.filter((one) => one.includes(`alertname="${alert}"`));
      expect([alert, own.length > 0]).toEqual([alert, true]);
      for (const one of own) expect(one).toContain(`severity="${labels.severity}"`);
    }
    for (const { name, promql_expr_test: steps } of testsOfRules)
      expect([name, steps.some(({ exp_samples: samples }) => samples.length === 0)]).toEqual([name, true]);
  });

  it.each(testsOfRules.map(({ name, input_series }) => [name, input_series] as const))(
    'have samples of metrics that the gateway serves: %s',
    (_, input) => {
      for (const { series } of input) expect(listUnknown(series)).toEqual([]);
    },
  );

  it.runIf(hasPromtool)('[L-24] pass in promtool', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', TESTS_OF_RULES], { encoding: 'utf8' });
    expect([status, `${stdout}${stderr}`]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});
