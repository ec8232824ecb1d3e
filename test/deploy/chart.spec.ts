import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { composeSettings, loadSettings } from '../../src/settings.js';
import { Chart, type Manifest } from '../support/helm.js';

const AUTH = { auth: { existingSecret: 'gw' } };
const POSTGRES = { ...AUTH, store: { existingSecret: 'gw-store' } };
const ROOT = join(import.meta.dirname, '../..');

let chart: Chart;
beforeAll(async () => {
  chart = await Chart.open();
});
afterAll(() => chart.close());

/** The documents of an input, each with its comments. */
const inputs = (name: string) =>
  readFileSync(new URL(`../inputs/deploy/${name}`, import.meta.url), 'utf8').split(/^---\n/m);

const find = (manifests: readonly Manifest[], kind: string) => manifests.find((manifest) => manifest.kind === kind);
const render = (values: object, kind: string) => find(chart.render({ ...AUTH, ...values }), kind);
const pod = (values: object) => render(values, 'Deployment')?.['spec'].template.spec;
const config = (values: string | object) =>
  parse(find(chart.render(values), 'ConfigMap')?.['data']['config.yaml'] as string) as Record<
    string,
    Record<string, unknown>
  >;

/** Everything that the chart can render. */
const WHOLE = {
  ...POSTGRES,
  replicaCount: 3,
  settings: { agent: { name: 'ada' } },
  secretSettings: { 'channels.telegram.bot_token': { name: 'telegram', key: 'token' } },
  podDisruptionBudget: { enabled: true },
  autoscaling: { enabled: true },
  ingress: { enabled: true, className: 'nginx', host: 'chat.example.org', tlsSecret: 'chat-tls' },
  serviceMonitor: { enabled: true, authorization: { existingSecret: 'scrape' } },
  networkPolicy: { from: [{ namespaceSelector: {} }], egress: [{ ports: [{ protocol: 'TCP', port: 5432 }] }] },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'spot', operator: 'Exists' }],
  podAnnotations: { team: 'chat' },
};

describe('the Helm chart', () => {
  it('has nothing that lint objects to', () => {
    expect(chart.lint(WHOLE)).toContain('0 chart(s) failed');
  });

  it('renders objects that Kubernetes knows, without unknown fields', { timeout: 120_000 }, () => {
    expect(findTypeFaults([...chart.render(WHOLE), ...chart.render(AUTH)])).toEqual([]);
  });

  it('is checked by types that refuse a misspelt and a mistyped field', { timeout: 120_000 }, () => {
    const service = render({}, 'Service') as Manifest;
    const misspelt = { ...service, spec: { ...service['spec'], sessionAfinity: 'None' } };
    const mistyped = { ...service, spec: { ...service['spec'], selector: 5 } };
    expect(findTypeFaults([misspelt]).join()).toContain('sessionAfinity');
    expect(findTypeFaults([mistyped]).join()).toContain('number');
  });

  it('carries numbers of a values file digit by digit to the settings', () => {
    const [large, quoteless, quoted] = inputs('large-numbers.yaml');
    const auth = '\nauth: { existingSecret: gw }\n';
    expect(chart.print(large + auth)).not.toMatch(/\de\+/);
    expect(config(large + auth)).toMatchObject({
      limits: { media_bytes_per_day: 1_073_741_824, messages_per_minute: 10_000_000 },
      gateway: { max_frame_bytes: 1_048_576 },
    });
    expect(chart.refusal(quoteless + auth)).toContain('/settings/channels/whatsapp/phone_number_id');
    expect(chart.print(quoted + auth)).toContain('phone_number_id: "106540352242922"');
  });

  it('carries each number setting at its maximum, and the gateway takes them', () => {
    const rows = composeSettings().rows.filter(
      ({ key, schema }) => schema.type === 'integer' && !schema['x-later'] && key !== 'gateway.port',
    );
    const settings: Record<string, unknown> = {};
    for (const { key, schema } of rows) put(settings, key.split('.'), schema.maximum ?? Number.MAX_SAFE_INTEGER);
    const rendered = config({ ...AUTH, settings });
    for (const { key, schema } of rows) {
      const value = key.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], rendered);
      expect(value, key).toBe(schema.maximum ?? Number.MAX_SAFE_INTEGER);
    }
  });

  it.each(
    inputs('refused.yaml')
      .slice(1)
      .map((text): [string, string] => [(/^# (.*)/.exec(text)?.[1] ?? '').replaceAll('%', '%%'), text]),
  )('%s', (expectation, text) => {
    const refusal = chart.refusal(text);
    if (expectation.startsWith('ok')) expect(refusal).toBeUndefined();
    else expect(refusal).toMatch(NAMED[expectation] ?? /^never$/);
  });

  it('refuses a misspelt setting, and a credential in a ConfigMap', () => {
    expect(chart.refusal({ ...AUTH, settings: { agent: { nmae: 'x' } } })).toContain("'nmae'");
    expect(chart.refusal({ ...AUTH, settings: { channels: { telegram: { bot_token: '7:x' } } } })).toContain(
      '/settings/channels/telegram',
    );
  });

  it('gives a pod preStop, the drain and 15 s before it is killed', () => {
    const grace = (values: object) => pod(values).terminationGracePeriodSeconds;
    expect(grace({})).toBe(60);
    expect(grace({ preStopSleepSeconds: 0, settings: { gateway: { drain_timeout_ms: 90_500 } } })).toBe(106);
    expect(grace({ terminationGracePeriodSeconds: 300 })).toBe(300);
    expect(pod({ preStopSleepSeconds: 7 }).containers[0].lifecycle.preStop.sleep.seconds).toBe(7);
  });

  it('runs one replica on SQLite, and replaces it by ending it first', () => {
    const onSqlite = render({}, 'Deployment')?.['spec'];
    expect([onSqlite.replicas, onSqlite.strategy.type]).toEqual([1, 'Recreate']);
    expect(render(POSTGRES, 'Deployment')?.['spec'].strategy.type).toBe('RollingUpdate');
    expect(render({}, 'PersistentVolumeClaim')?.['spec'].accessModes).toEqual(['ReadWriteOnce']);
  });

  it('waits 30 minutes for a migration, and asks for life only after it', () => {
    const { startupProbe, livenessProbe, readinessProbe } = pod({}).containers[0];
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(1_800);
    expect([startupProbe, livenessProbe, readinessProbe].map((probe) => probe.httpGet.path)).toEqual([
      '/health/startup',
      '/health/live',
      '/health/ready',
    ]);
  });

  it('leaves the choice of the user to OpenShift', () => {
    expect(pod({}).securityContext).toMatchObject({ runAsUser: 65_532, fsGroup: 65_532 });
    expect(Object.keys(pod({ openshift: true }).securityContext as object)).toEqual([
      'runAsNonRoot',
      'fsGroupChangePolicy',
      'seccompProfile',
    ]);
  });

  it('selects by name and instance alone, in every version of the chart', () => {
    const next = mkdtempSync(join(tmpdir(), 'next-chart-'));
    cpSync(join(ROOT, 'deploy/helm/openclaw-gateway'), next, { recursive: true });
    const chartFile = join(next, 'Chart.yaml');
    writeFileSync(chartFile, readFileSync(chartFile, 'utf8').replaceAll('1.0.0', '2.3.4'));
    const selectors = (text: string) => [...text.matchAll(/(?:matchLabels|selector):\n(?: +app.*\n)+/g)].map(String);
    const now = selectors(chart.print(WHOLE));
    expect(now.length).toBeGreaterThan(4);
    expect(selectors(chart.print(WHOLE, next))).toEqual(now);
    rmSync(next, { recursive: true });
  });

  it('renders the same twice, and makes no secret', () => {
    expect(chart.print(WHOLE)).toBe(chart.print(WHOLE));
    expect(chart.render(WHOLE).map(({ kind }) => kind)).not.toContain('Secret');
  });

  it('mounts secrets as files and names them in the environment', () => {
    const { env, volumeMounts } = pod(WHOLE).containers[0];
    const path = '/secrets/settings/channels.telegram.bot_token';
    expect(env).toContainEqual({ name: 'OPENCLAW_CHANNELS_TELEGRAM_BOT_TOKEN_FILE', value: `${path}/value` });
    expect(volumeMounts).toContainEqual({
      name: 'channels-telegram-bot-token',
      mountPath: path,
      readOnly: true,
    });
    const names = new Set(composeSettings().rows.map((row) => `${row.env}_FILE`));
    const given = (env as { name: string }[]).map(({ name }) => name);
    expect(given.filter((name) => !names.has(name))).toEqual([]);
  });

  it('allows DNS by UDP and TCP, and the port of OpenShift', () => {
    const ports = render({}, 'NetworkPolicy')?.['spec'].egress[0].ports as { protocol: string; port: number }[];
    expect(ports.map(({ protocol, port }) => `${protocol} ${port}`)).toEqual([
      'UDP 53',
      'TCP 53',
      'UDP 5353',
      'TCP 5353',
    ]);
  });

  it('writes settings that the gateway starts with, and serves the names of its Service', () => {
    const folder = mkdtempSync(join(tmpdir(), 'chart-settings-'));
    const values = { ...AUTH, settings: { agent: { name: 'ada' }, gateway: { allowed_hosts: ['own.example'] } } };
    const text = find(chart.render(values), 'ConfigMap')?.['data']['config.yaml'] as string;
    writeFileSync(join(folder, 'config.yaml'), text);
    const { values: loaded } = loadSettings({ OPENCLAW_AUTH_TOKEN: 'f00df00df00df00d' }, {}, folder);
    expect(loaded['agent.name']).toBe('ada');
    expect(loaded['gateway.allowed_hosts']).toEqual(
      expect.arrayContaining(['own.example', 'gw-openclaw-gateway.default.svc']),
    );
    rmSync(folder, { recursive: true });
  });

  it('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(parse(readFileSync(join(ROOT, 'deploy/helm/openclaw-gateway/Chart.yaml'), 'utf8'))).toMatchObject({
      appVersion: version,
    });
  });
});

/** The place that the refusal of each input names. */
const NAMED: Readonly<Record<string, RegExp>> = {
  'refused: more than one replica on SQLite': /'\/replicaCount'/,
  'refused: misspelt key': /'replicaCounts'/,
  'refused: misspelt key two levels down': /'\/serviceMonitor'.*'enable'/,
  'refused: no secret given, none generated': /auth\.existingSecret.*kubectl create secret/,
  'refused: grace shorter than preStop + drain + 15':
    /terminationGracePeriodSeconds is 30.*at least 60|auth\.existingSecret/,
  'refused: budget that blocks every drain of a node': /'\/podDisruptionBudget'.*'minAvailable'/,
  'refused: autoscaling on SQLite': /'\/autoscaling\/enabled'/,
  'refused: ReadWriteMany for SQLite': /'\/persistence\/accessModes\/0'/,
  'refused: a scrape without a credential while auth is configured': /'\/serviceMonitor/,
  'refused: tag as a number (1.10 would become 1.1)': /'\/image\/tag'/,
};

function put(tree: Record<string, unknown>, [name = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) tree[name] = value;
  else put((tree[name] ??= {}) as Record<string, unknown>, rest, value);
}

/** Compiles the objects as literals of the types of Kubernetes: TypeScript refuses unknown and mistyped fields. */
function findTypeFaults(manifests: readonly Manifest[]): string[] {
  const lines = manifests.map((manifest, n) => {
    const { apiVersion, kind } = manifest;
    const source = apiVersion.startsWith('monitoring.')
      ? `@kubernetes-models/prometheus-operator/${apiVersion}/${kind}`
      : `kubernetes-models/${apiVersion}/${kind}`;
    return `import type { I${kind} as T${n} } from '${source}';\nexport const m${n}: T${n} = ${JSON.stringify(manifest, undefined, 1)};`;
  });
  const path = join(ROOT, 'node_modules/.cache/rendered-chart.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) =>
    name === path
      ? ts.createSourceFile(name, lines.join('\n'), ts.ScriptTarget.Latest)
      : getSourceFile.call(host, name, ...rest);
  const program = ts.createProgram([path], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
