import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/** The file in which `.ci/run` finds the totals of the last run. */
const TOTALS_FILE = 'node_modules/.cache/test-totals.txt';

/**
 * Repeats the failures in one line each, then ends the output with the totals in a form that programs can read:
 * `N passed, N failed`, alone on the last line. A file that could not be loaded and an error outside of any test count as
 * failures, so that "0 failed" means what it says.
 */
export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[], reason: TestRunEndReason): void {
    let passed = 0;
    const failures = unhandled.map((error) => `an error outside of any test: ${firstLine(error)}`);
    for (const testModule of modules) {
      const file = testModule.relativeModuleId;
      for (const error of testModule.errors()) failures.push(`${file}: ${firstLine(error)}`);
      for (const test of testModule.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'passed') passed++;
        if (state === 'failed') failures.push(`${file} > ${test.fullName}: ${firstLine(errors?.[0])}`);
      }
      for (const suite of testModule.children.allSuites()) {
        for (const error of suite.errors()) failures.push(`${file} > ${suite.fullName}: ${firstLine(error)}`);
      }
    }
    if (reason === 'interrupted') failures.push('the run was interrupted');
    const totals = `${passed} passed, ${failures.length} failed`;
    mkdirSync(dirname(TOTALS_FILE), { recursive: true });
    writeFileSync(TOTALS_FILE, `${totals}\n`);
    if (failures.length > 0) console.log(['\nFailed:', ...failures.map(toLine)].join('\n  '));
    console.log(`\n${totals}`);
  }
}

function firstLine(error: unknown): string {
  const { message = String(error) } = (error ?? {}) as { readonly message?: string };
  return message.split('\n', 1)[0] ?? '';
}

function toLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 240 ? `${line.slice(0, 239)}…` : line;
}
