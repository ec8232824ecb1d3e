import type { SettingRow } from '../../src/core/config/settings-schema.js';
import { composeSettings } from '../../src/settings.js';

type Json = Readonly<Record<string, unknown>>;

const text: Json = { type: 'string' };
const flag: Json = { type: 'boolean' };
const texts: Json = { type: 'object', additionalProperties: text };
/** A name of an object of Kubernetes; the chart makes one where it is empty. */
const label: Json = { type: 'string', pattern: '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$' };
const list: Json = { type: 'array' };
const map: Json = { type: 'object' };
const count = (minimum: number): Json => ({ type: 'integer', minimum });
const one = (...values: readonly string[]): Json => ({ enum: values });

/** A rule of JSON Schema. */
// oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema; nothing awaits a schema
const rule = (condition: Json, consequence: Json): Json => ({ if: condition, then: consequence });

/** An object that has no other properties. */
const only = (properties: Json): Json => ({ type: 'object', additionalProperties: false, properties });

const secretKey = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'key'],
  properties: { name: text, key: text },
};

/** Keys of secrets by the names of the files that they become. */
const filesOfSecrets: Json = {
  type: 'object',
  propertyNames: { pattern: '^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$' },
  additionalProperties: secretKey,
};

/** Settings that the chart gives: an address of its own, and what is mounted. */
const GIVEN = new Set(['gateway.port', 'store.url', 'auth.token']);

/** Returns whether a setting is a credential, or has one within. */
function hasSecret(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  return isSecret(schema) || Object.values(schema).some(hasSecret);
}

const isSecret = (schema: unknown) => (schema as Json | undefined)?.['x-secret'] === true;

/** Settings of a ConfigMap: those of the gateway that are no credential and exist. */
const isOpen = ({ key, schema }: SettingRow) => !schema['x-secret'] && !schema['x-later'] && !GIVEN.has(key);

/** Returns whether Go, in which Helm is written, compiles the pattern. The gateway checks the others at its start. */
const isPortable = (pattern: string) => !/\(\?[!=<]|\{\d*,?\d{4,}\}/.test(pattern);

/** What Helm can check of a schema, without what the reference needs, and without the credentials within. */
function toPlain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(toPlain);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(
    ([name, value]) =>
      !/^x-|^~|^default$|^description$/.test(name) && !(name === 'pattern' && !isPortable(value as string)),
  );
  return Object.fromEntries(
    kept.map(([name, value]): [string, unknown] => {
      const names = name === 'patternProperties' ? Object.entries(value as Json) : [];
      const [foreign] = names.filter(([pattern]) => !isPortable(pattern));
      if (name === 'properties') return [name, toPlainEach(value as Json)];
      return foreign ? ['additionalProperties', toPlain(foreign[1])] : [name, toPlain(value)];
    }),
  );
}

/** The properties of an object; those that are credentials, or maps of credentials, are refused in a ConfigMap. */
const toPlainEach = (properties: Json): Json =>
  Object.fromEntries(
    Object.entries(properties)
      .filter(([, schema]) => !isSecret(schema) && !isMapOfSecrets(schema))
      .map(([name, schema]) => [name, toPlain(schema)]),
  );

const isMapOfSecrets = (schema: unknown) =>
  Object.values(((schema as Json)['patternProperties'] ?? {}) as Json).some(isSecret);

/** The settings as nested objects; a misspelt key is refused. */
function buildSettings(rows: readonly SettingRow[], depth = 0): Json {
  const groups = Map.groupBy(rows, ({ key }) => key.split('.')[depth] as string);
  const properties = [...groups].map(([name, below]): [string, unknown] => {
    const own = below.find(({ key }) => key.split('.').length === depth + 1);
    const nested = below.filter((row) => row !== own);
    if (nested.length === 0) return [name, toPlain(own?.schema)];
    const tree = buildSettings(nested, depth + 1);
    // `channels` is a map with known entries.
    return [name, own ? { ...(toPlain(own.schema) as Json), ...tree, additionalProperties: true } : tree];
  });
  return only(Object.fromEntries(properties));
}

/** The URL of a database server has a password in it, so it is in a secret. */
const onServer = { properties: { existingSecret: { type: 'string', minLength: 1 } }, required: ['existingSecret'] };

/** A file on the volume: the rest of the file system is read-only, and a store in memory is lost with its pod. */
const STORE_FILE = '^sqlite:/?data/';

/** The values of the chart, without those that depend on the settings of the gateway. */
const VALUES: Json = {
  // Helm adds these two to the values of a subchart.
  global: map,
  enabled: flag,
  image: only({ repository: text, tag: text, pullPolicy: one('Always', 'IfNotPresent', 'Never') }),
  imagePullSecrets: list,
  nameOverride: label,
  fullnameOverride: label,
  replicaCount: count(0),
  auth: only({ existingSecret: text, key: text }),
  store: only({ url: { type: 'string', pattern: STORE_FILE }, existingSecret: text, key: text }),
  persistence: only({
    enabled: flag,
    size: text,
    storageClass: text,
    accessModes: { type: 'array', items: one('ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany') },
    existingClaim: text,
  }),
  providerKeys: filesOfSecrets,
  secretFiles: filesOfSecrets,
  extraEnv: list,
  extraVolumes: list,
  extraVolumeMounts: list,
  service: only({ type: one('ClusterIP', 'NodePort', 'LoadBalancer'), port: count(1), annotations: texts }),
  ingress: only({ enabled: flag, className: text, annotations: texts, host: text, tlsSecret: text }),
  preStopSleepSeconds: count(0),
  terminationGracePeriodSeconds: { type: ['integer', 'null'], minimum: 1 },
  resources: map,
  openshift: flag,
  podAnnotations: texts,
  podLabels: texts,
  nodeSelector: texts,
  tolerations: list,
  affinity: map,
  topologySpreadConstraints: list,
  serviceAccount: only({ annotations: texts }),
  podDisruptionBudget: only({ enabled: flag, maxUnavailable: { type: ['integer', 'string'] } }),
  autoscaling: only({ enabled: flag, minReplicas: count(1), maxReplicas: count(1), metrics: list }),
  networkPolicy: only({ enabled: flag, from: list, egress: list }),
  serviceMonitor: {
    ...only({
      enabled: flag,
      interval: text,
      labels: texts,
      authorization: only({ existingSecret: text, key: text }),
    }),
    // Without a credential a scrape is HTTP 401, and no alert fires.
    ...rule(
      { properties: { enabled: { const: true } }, required: ['enabled'] },
      {
        required: ['authorization'],
        properties: {
          authorization: {
            required: ['existingSecret'],
            properties: { existingSecret: { type: 'string', minLength: 1 } },
          },
        },
      },
    ),
  },
};

/** Settings that modules of a team declare: none of the gateway's, which would pass by what is checked there. */
function buildModuleSettings(rows: readonly SettingRow[]): Json {
  const namesAt = (depth: number) => (row: SettingRow) => row.key.split('.')[depth] as string;
  const others = [...new Set(rows.map(namesAt(0)))].filter((name) => name !== 'channels');
  const channels = [...new Set(rows.filter(({ key }) => key.startsWith('channels.')).map(namesAt(1)))];
  const without = (names: readonly string[]): Json => Object.fromEntries(names.map((name) => [name, false]));
  return {
    type: 'object',
    properties: { ...without(others), channels: { type: 'object', properties: without(channels) } },
  };
}

/** A SQLite file has one owner. */
const ONE_OWNER = rule(
  { not: { required: ['store'], properties: { store: onServer } } },
  {
    properties: {
      replicaCount: { maximum: 1 },
      autoscaling: { properties: { enabled: { const: false } } },
      persistence: { properties: { accessModes: { items: one('ReadWriteOnce', 'ReadWriteOncePod') } } },
    },
  },
);

/** Renders `values.schema.json` of the Helm chart. */
export function renderChartSchema(): string {
  const rows = composeSettings().rows;
  const secrets = rows
    .filter(({ key, schema }) => hasSecret(schema) && !schema['x-later'] && !GIVEN.has(key))
    .map(({ key }) => key);
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $comment: 'Generated by `npm run docs`.',
    ...only({
      ...VALUES,
      settings: buildSettings(rows.filter(isOpen)),
      moduleSettings: buildModuleSettings(rows),
      secretSettings: { type: 'object', propertyNames: { enum: secrets }, additionalProperties: secretKey },
    }),
    ...ONE_OWNER,
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
