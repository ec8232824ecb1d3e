import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderChartSchema } from '../scripts/reference/chart-schema.js';
import { renderCloseCodes, renderErrors } from '../scripts/reference/codes.js';
import { renderFrames } from '../scripts/reference/frames.js';
import {
  EXAMPLES,
  renderConfigYaml,
  renderDotEnv,
  renderSettings,
  TOKEN_PLACEHOLDER,
} from '../scripts/reference/settings.js';
import { renderMetrics } from '../scripts/reference/metrics.js';
import { findFault } from '../src/core/config/setting-values.js';
import { buildAsyncApi } from '../src/http/asyncapi.js';
import { composeSettings } from '../src/settings.js';
import { PrometheusMetrics } from '../src/telemetry/prometheus-metrics.js';
import { GatewayApp } from './support/gateway-app.js';

const settingRows = composeSettings().rows;

const toJson = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;

describe('generated documents are current (npm run docs writes them)', () => {
  it.each<[path: string, render: () => string]>([
    ['docs/reference/errors.md', renderErrors],
    ['docs/reference/close-codes.md', renderCloseCodes],
    ['docs/reference/frames.md', renderFrames],
    ['docs/reference/settings.md', renderSettings],
    ['docs/reference/asyncapi.json', () => toJson(buildAsyncApi())],
    ['docs/reference/openapi.json', printOpenApi],
    ['.env.example', renderDotEnv],
    ['config.example.yaml', renderConfigYaml],
    ['deploy/helm/openclaw-gateway/values.schema.json', renderChartSchema],
  ])('%s', async (path, render) => {
    await expect(render()).toMatchFileSnapshot(resolve(path));
  });
});

it('so is docs/reference/metrics.md, of a gateway that runs', async () => {
  const metrics = new PrometheusMetrics();
  await (await GatewayApp.start({ metrics })).close();
  await expect(renderMetrics(metrics.families)).toMatchFileSnapshot(resolve('docs/reference/metrics.md'));
});

/** Needs `npm run build`. */
function printOpenApi(): string {
  return execFileSync(process.execPath, ['scripts/reference/openapi.mjs'], { encoding: 'utf8' });
}

/** Replaces the placeholders of a value, as a reader would. */
function withToken(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(TOKEN_PLACEHOLDER, 'f00df00df00df00d'));
}

describe('the example files', () => {
  /** The commented values of the file, uncommented. */
  const uncommented = parse(renderConfigYaml().replaceAll(/^( *)# (?=[a-z_]+:|- | {2})/gm, '$1')) as Record<
    string,
    unknown
  >;

  const find = (key: string) =>
    key.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], uncommented);

  it('change nothing as they are', () => {
    const values = Object.values(parse(renderConfigYaml()) as Record<string, unknown>);
    expect(values.every((value) => value === null)).toBe(true);
    expect(
      renderDotEnv()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#')),
    ).toEqual([]);
  });

  it.each(settingRows.filter((row) => row.schema['x-later'] !== true).map((row) => [row.key, row] as const))(
    'show a valid value for %s',
    (key, row) => {
      // The values of a map stand among the settings that modules declare below it.
      const hasBelow = settingRows.some((other) => other.key.startsWith(`${key}.`));
      const value = hasBelow ? EXAMPLES[key] : find(key);
      expect(value).toBeDefined();
      expect(findFault(row, withToken(value))).toBeUndefined();
      expect(renderDotEnv()).toContain(`\n# ${row.env}=`);
    },
  );

  it('show no token that a gateway would accept', () => {
    const [tokens, token] = ['auth.tokens', 'auth.token'].map((key) => settingRows.find((row) => row.key === key)!);
    expect(findFault(token!, find('auth.token'))?.message).toContain('allowed');
    expect(findFault(tokens!, find('auth.tokens'))?.message).toContain('allowed');
  });

  it('show the default of every setting that has one', () => {
    for (const { key, schema } of settingRows) {
      if (schema.default !== undefined && !(key in EXAMPLES)) expect(find(key)).toEqual(schema.default);
    }
  });
});
