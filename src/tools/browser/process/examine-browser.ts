import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findChromium } from './find-chromium.js';

/** Time for a program to say its version, in milliseconds. */
const VERSION_TIMEOUT_MS = 20_000;

/**
 * Returns which Chromium the tools would use, in words for the operator, without starting it for pages.
 * @param executable `tools.browser.executable`
 * @param cdpUrl `tools.browser.cdp_url`
 * @throws Error that says what to install or to set if there is none, or if it does not run
 */
export async function examineBrowser(executable: string | undefined, cdpUrl: string | undefined): Promise<string> {
  if (cdpUrl !== undefined) return `the Chromium at ${cdpUrl}, which is asked with the first call`;
  const path = findChromium(executable);
  // There it opens a window.
  if (process.platform === 'win32') return path;
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    return `${stdout.trim()} at ${path}`;
  } catch (error) {
    const { stderr = '' } = error as { readonly stderr?: string };
    const [reason = 'it does not say its version'] = stderr.trim().split('\n').filter(Boolean).slice(-1);
    throw new Error(`${path} does not run: ${reason}`, { cause: error });
  }
}
