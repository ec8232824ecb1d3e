import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const RUN = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));

describe('npm run bench', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openclaw-bench-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('measures a chosen figure and writes its rounds to a file', async () => {
    const out = join(folder, 'results.json');
    const { stdout } = await promisify(execFile)(process.execPath, [RUN, '--quick', '--out', out, 'G1']);

    expect(stdout).toMatch(/^G1 .*CPU per durable ack/m);
    const results = JSON.parse(await readFile(out, 'utf8')) as Record<string, unknown>;
    expect(results['G1']).toEqual({
      median: expect.any(Number) as number,
      min: expect.any(Number) as number,
      max: expect.any(Number) as number,
      rounds: [expect.any(Number)],
    });
  });

  it('measures growth on filled stores, also of another checkout, and writes both', async () => {
    const out = join(folder, 'results.json');
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const args = [RUN, '--quick', '--out', out, '--against', root, 'G12b'];
    await promisify(execFile)(process.execPath, args);

    const results = JSON.parse(await readFile(out, 'utf8')) as Record<string, { median: number }>;
    expect(results['G12b']?.median).toBeGreaterThan(0);
    expect(results[`G12b (${basename(root)})`]?.median).toBeGreaterThan(0);
  });

  it('refuses an unknown figure by name', async () => {
    await expect(promisify(execFile)(process.execPath, [RUN, 'G99'])).rejects.toThrow('there is no figure G99');
  });
});
