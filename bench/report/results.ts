import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../statistics.ts';

/** By figure id, or by the name of a detail. */
export type Measurements = Readonly<Record<string, Summary>>;

const PATH = fileURLToPath(new URL('../results.json', import.meta.url));

export function readResults(path = PATH): Measurements {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Measurements) : {};
}

export function writeResults(results: Measurements, path = PATH): void {
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
}
