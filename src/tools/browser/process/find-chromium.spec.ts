import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examineBrowser } from './examine-browser.js';
import { findChromium } from './find-chromium.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'chromium-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function install(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('the Chromium of the machine', () => {
  it('is the configured one, else the one on the PATH, else one where packages put it', () => {
    const own = install('own', 'exit 0');
    const onPath = install('google-chrome', 'exit 0');
    expect(findChromium(own, folder, [])).toBe(own);
    expect(findChromium(undefined, folder, [])).toBe(onPath);
    expect(findChromium(undefined, '/nonexistent', [own])).toBe(own);
  });

  it('that is missing gives an error that says what to install and to set', () => {
    expect(() => findChromium(undefined, '/nonexistent', [])).toThrow(
      /there is no Chromium on this machine: install .*tools\.browser\.executable or tools\.browser\.cdp_url/,
    );
    expect(() => findChromium(join(folder, 'gone'))).toThrow(
      /there is no program .*gone \(tools\.browser\.executable\)/,
    );
  });

  it('is named with its version by the doctor, and with the reason if it does not run', async () => {
    expect(await examineBrowser(install('good', 'echo Chromium 153.0'), undefined)).toMatch(
      /^Chromium 153\.0 at .*good$/,
    );
    const bad = install('bad', 'echo "error while loading shared libraries: libnss3.so" >&2; exit 127');
    await expect(examineBrowser(bad, undefined)).rejects.toThrow(
      'does not run: error while loading shared libraries: libnss3.so',
    );
    expect(await examineBrowser(undefined, 'http://10.0.0.5:9222')).toContain('the Chromium at http://10.0.0.5:9222');
  });
});
