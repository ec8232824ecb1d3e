import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/** Where `.ci/run` finds the totals of the last run. */
const TOTALS_FILE = 'node_modules/.cache/test-totals.txt';

/**
 * Says the totals once more in a form that programs can read: `N passed, N failed`. A file that could not be loaded and
 * an error outside of any test count as failed, so that "0 failed" means what it says.
 */
export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[], reason: TestRunEndReason): void {
    let passed = 0;
    let failed = unhandled.length;
    for (const testModule of modules) {
      failed += testModule.errors().length;
      for (const test of testModule.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        if (state === 'failed') failed++;
      }
      for (const suite of testModule.children.allSuites()) failed += suite.errors().length;
    }
    if (reason === 'interrupted') failed++;
    const totals = `${passed} passed, ${failed} failed`;
    mkdirSync(dirname(TOTALS_FILE), { recursive: true });
    writeFileSync(TOTALS_FILE, `${totals}\n`);
    console.log(`\n${totals}`);
  }
}
