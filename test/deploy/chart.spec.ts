import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { keyVariableOf } from '../../src/agents/pi/providers.js';
import { composeSettings, loadSettings } from '../../src/settings.js';
import { Chart, CHART, type Manifest } from '../support/helm.js';

const AUTH = { auth: { existingSecret: 'gw' } };
const POSTGRES = { ...AUTH, store: { existingSecret: 'gw-store' } };
const ROOT = join(import.meta.dirname, '../..');

let chart: Chart;
let folder: string;
beforeAll(async () => {
  chart = await Chart.open();
  folder = mkdtempSync(join(tmpdir(), 'charts-'));
});
afterAll(() => {
  chart.close();
  rmSync(folder, { recursive: true });
});

/** Returns the path of a copy of the chart. */
function copyChart(name: string): string {
  const copy = join(folder, name);
  cpSync(CHART, copy, { recursive: true });
  return copy;
}

/** Returns the fields of an object that no upgrade may change. */
const findFixedFields = ({ kind, metadata: { name }, spec }: Manifest) => ({
  ...{ kind, name },
  fixed: kind === 'PersistentVolumeClaim' ? spec : (spec?.selector ?? spec?.podSelector ?? spec?.scaleTargetRef),
});

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
  providerKeys: { anthropic: { name: 'models', key: 'anthropic' }, 'my-own': { name: 'models', key: 'own' } },
  secretFiles: { oidc: { name: 'oidc', key: 'client-secret' } },
  imagePullSecrets: [{ name: 'registry' }],
  extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/ca/ca.crt' }],
  extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
  extraVolumeMounts: [{ name: 'ca', mountPath: '/ca', readOnly: true }],
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

  it('renders objects that Kubernetes knows, without unknown fields', () => {
    expect(findTypeFaults([...chart.render(WHOLE), ...chart.render(AUTH)])).toEqual([]);
  });

  it('is checked by types that refuse a misspelt and a mistyped field', () => {
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

  it.each(['postgres://u:pw@h/db', 'sqlite::memory:', 'sqlite:/var/x.db'])(
    'refuses %s as the store: a password belongs in a secret, a file on the volume',
    (url) => {
      expect(() => chart.render({ ...AUTH, store: { url } })).toThrow(/store/);
    },
  );

  it.each(['sqlite:data/gateway.db', 'sqlite:/data/other/gateway.db'])('takes %s as the store', (url) => {
    expect(render({ store: { url } }, 'Deployment')).toBeDefined();
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
    expect(chart.refusal({ ...AUTH, terminationGracePeriodSeconds: 59 })).toContain('at least 60');
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
    expect(pod({ openshift: true }).securityContext).toEqual({
      runAsNonRoot: true,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  it('keeps the fields that cannot be changed, in every version of the chart', () => {
    const next = copyChart('next');
    const chartFile = join(next, 'Chart.yaml');
    writeFileSync(chartFile, readFileSync(chartFile, 'utf8').replaceAll('1.0.0', '2.3.4'));
    const now = chart.render(WHOLE);
    const later = chart.render(WHOLE, next);
    expect(now.map(findFixedFields)).toEqual(later.map(findFixedFields));
    expect(now.filter((manifest) => findFixedFields(manifest).fixed !== undefined).length).toBeGreaterThan(4);
    expect(now[0]?.metadata.labels).not.toEqual(later[0]?.metadata.labels);
  });

  it('is installed as a part of another chart, which passes `global` and can leave it out', () => {
    const parent = mkdtempSync(join(folder, 'parent-'));
    const dependency = { name: 'openclaw-gateway', version: '1.0.0', condition: 'openclaw-gateway.enabled' };
    const description = { apiVersion: 'v2', name: 'team', version: '0.1.0', dependencies: [dependency] };
    writeFileSync(join(parent, 'Chart.yaml'), stringify(description));
    cpSync(CHART, join(parent, 'charts/openclaw-gateway'), { recursive: true });
    const kinds = (enabled: boolean) =>
      chart
        .render({ global: { imageRegistry: 'x' }, 'openclaw-gateway': { enabled, ...AUTH } }, parent)
        .map(({ kind }) => kind);
    expect(kinds(true)).toContain('Deployment');
    expect(kinds(false)).toEqual([]);
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
      name: 'setting-channels-telegram-bot-token',
      mountPath: path,
      readOnly: true,
    });
    // A file that is mounted by itself never changes with its secret.
    const secrets = (volumeMounts as { mountPath: string }[]).filter((mount) =>
      mount.mountPath.startsWith('/secrets/'),
    );
    expect([secrets.length, secrets.filter((mount) => 'subPath' in mount)]).toEqual([5, []]);
    const names = new Set(composeSettings().rows.map((row) => `${row.env}_FILE`));
    const given = (env as { name: string }[]).map(({ name }) => name).filter((name) => name.startsWith('OPENCLAW_'));
    expect(given.filter((name) => !names.has(name))).toEqual([]);
  });

  it('mounts keys of model providers where the gateway looks for them, and files that settings name', () => {
    const { containers, volumes } = pod(WHOLE);
    expect(containers[0].env).toEqual(
      expect.arrayContaining([
        { name: 'ANTHROPIC_API_KEY_FILE', value: '/secrets/providers/anthropic' },
        { name: `${keyVariableOf('my-own')}_FILE`, value: '/secrets/providers/my-own' },
        WHOLE.extraEnv[0],
      ]),
    );
    const sourcesOf = (name: string) =>
      (volumes as { name: string; projected?: { sources: unknown } }[]).find((volume) => volume.name === name)
        ?.projected?.sources;
    expect(sourcesOf('provider-keys')).toHaveLength(2);
    expect(sourcesOf('secret-files')).toEqual([
      { secret: { name: 'oidc', items: [{ key: 'client-secret', path: 'oidc' }] } },
    ]);
    expect(containers[0].volumeMounts).toContainEqual({
      name: 'secret-files',
      mountPath: '/secrets/files',
      readOnly: true,
    });
    expect(volumes).toContainEqual(WHOLE.extraVolumes[0]);
  });

  it('takes each setting with a credential from a secret, and none from a ConfigMap', () => {
    const secretSettings = Object.fromEntries(
      ['providers', 'mcp.servers', 'auth.oidc', 'auth.tokens', 'telemetry.traces.headers'].map((key) => [
        key,
        { name: 'gw', key },
      ]),
    );
    const { volumes } = pod({ ...WHOLE, secretSettings });
    const names = (volumes as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    expect(pod({ secretSettings }).containers[0].env).toContainEqual({
      name: 'OPENCLAW_MCP_SERVERS_FILE',
      value: '/secrets/settings/mcp.servers/value',
    });
  });

  it('serves the pages of its ingress', () => {
    const { ingress } = WHOLE;
    expect(config({ ...AUTH, ingress })['gateway']).toMatchObject({ public_url: 'https://chat.example.org' });
    const settings = { gateway: { public_url: 'https://elsewhere.example', host: '::' } };
    expect(config({ ...AUTH, ingress, settings })['gateway']).toMatchObject(settings.gateway);
    expect(config(AUTH)['gateway']).not.toHaveProperty('public_url');
  });

  it('tests a release from a pod that its own policy and its registry let through', () => {
    const test = find(chart.render(WHOLE), 'Pod') as Manifest;
    expect(test['spec'].imagePullSecrets).toEqual(WHOLE.imagePullSecrets);
    const [peer] = render(WHOLE, 'NetworkPolicy')?.['spec'].ingress[0].from;
    expect(test.metadata.labels).toMatchObject(peer.podSelector.matchLabels);
    expect(test.metadata.labels).not.toMatchObject(render(WHOLE, 'Service')?.['spec'].selector);
  });

  it('has no preStop of 0 s, which older versions of Kubernetes refuse', () => {
    expect(pod({ preStopSleepSeconds: 0 }).containers[0]).not.toHaveProperty('lifecycle');
  });

  it('allows DNS by UDP and TCP, and the port of OpenShift, and adds rules of its values', () => {
    const { ingress, egress } = render(WHOLE, 'NetworkPolicy')?.['spec'] as Record<string, Record<string, unknown>[]>;
    const ports = egress?.[0]?.['ports'] as { protocol: string; port: number }[];
    expect(ports.map(({ protocol, port }) => `${protocol} ${port}`)).toEqual([
      'UDP 53',
      'TCP 53',
      'UDP 5353',
      'TCP 5353',
    ]);
    expect(egress?.at(-1)).toEqual(WHOLE.networkPolicy.egress[0]);
    expect(ingress?.[0]).toMatchObject({ ports: [{ protocol: 'TCP', port: 'http' }] });
    expect((ingress?.[0]?.['from'] as unknown[]).slice(1)).toEqual(WHOLE.networkPolicy.from);
    expect(render({}, 'NetworkPolicy')?.['spec'].ingress).toEqual([{ ports: [{ protocol: 'TCP', port: 'http' }] }]);
  });

  it('keeps long connections through an ingress, which are never silent for a minute', () => {
    const { annotations } = render(WHOLE, 'Ingress')?.metadata as unknown as { annotations: Record<string, string> };
    expect(annotations).toMatchObject({
      'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
      'nginx.ingress.kubernetes.io/proxy-send-timeout': '3600',
      'nginx.ingress.kubernetes.io/proxy-buffering': 'off',
    });
    const heartbeat = composeSettings().find('gateway.heartbeat_interval_ms')?.schema.default as number;
    expect(heartbeat).toBeLessThan(60_000);
  });

  it('lets one pod go at a time, and holds up no node that has the only one', () => {
    const budget = render(WHOLE, 'PodDisruptionBudget')?.['spec'];
    expect([budget.maxUnavailable, budget.minAvailable]).toEqual([1, undefined]);
    expect(render({}, 'PodDisruptionBudget')).toBeUndefined();
    expect(render(WHOLE, 'HorizontalPodAutoscaler')?.['spec'].behavior.scaleDown).toEqual({
      stabilizationWindowSeconds: 300,
      policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
    });
    // The autoscaler sets it; an upgrade must not set it back.
    expect(render(WHOLE, 'Deployment')?.['spec']).not.toHaveProperty('replicas');
  });

  it('writes settings that the gateway starts with, and serves the names of its Service', () => {
    const values = { ...AUTH, settings: { agent: { name: 'ada' }, gateway: { allowed_hosts: ['own.example'] } } };
    const text = find(chart.render(values), 'ConfigMap')?.['data']['config.yaml'] as string;
    writeFileSync(join(folder, 'config.yaml'), text);
    const { values: loaded } = loadSettings({ OPENCLAW_AUTH_TOKEN: 'f00df00df00df00d' }, {}, folder);
    expect(loaded['agent.name']).toBe('ada');
    expect(loaded['gateway.allowed_hosts']).toEqual(
      expect.arrayContaining(['own.example', 'gw-openclaw-gateway.default.svc']),
    );
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
  'refused: the key of a provider in a ConfigMap': /'\/settings\/providers.*'api_key'/,
  'refused: headers of a provider in a ConfigMap': /'\/settings\/providers.*'headers'/,
  'refused: the secret of an OIDC client in a ConfigMap': /'\/settings\/auth\/oidc.*'client_secret'/,
  'refused: headers of an MCP server in a ConfigMap': /'\/settings\/mcp.*'headers'/,
  'refused: an ingress without a name': /ingress\.enabled without ingress\.host/,
  'refused: an ingress that does not know the address of its pages': /settings\.gateway\.public_url/,
  'refused: two providers of one variable': /my-own and my_own both have the variable MY_OWN_API_KEY/,
  'refused: a setting of the gateway among those of modules': /'\/moduleSettings\/auth'/,
  'refused: a channel of the gateway among those of modules': /'\/moduleSettings\/channels\/telegram'/,
  'refused: a name that Kubernetes does not take': /'\/fullnameOverride'/,
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
