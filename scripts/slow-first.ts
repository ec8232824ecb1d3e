import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Folders of tests that start processes or browsers, the slowest first. */
const SLOW = [
  '/test/crash/',
  '/test/browser-tool/',
  '/test/security/',
  '/test/e2e/',
  '/test/browser/',
  '/test/deploy/',
];

/**
 * Runs slow test files first, so that none of them runs alone at the end. Without the times of an earlier run, the size of a
 * file is all that vitest knows, and the files that take a minute are small.
 */
export default class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = SLOW.findIndex((folder) => moduleId.includes(folder));
  return at === -1 ? SLOW.length : at;
}
