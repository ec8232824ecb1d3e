import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Names of the program where a `PATH` leads to it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];

/** Where installations put a Chromium, by operating system. */
const PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ['/usr/bin', '/usr/local/bin', '/snap/bin'].flatMap((folder) => NAMES.map((name) => join(folder, name))),
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
};

/** The command that installs one, by operating system. */
const ADVICE: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'install one (Debian and Ubuntu: apt-get install chromium; Fedora: dnf install chromium)',
  darwin: 'install one (brew install --cask chromium)',
  win32: 'install Chrome or Edge',
};

/**
 * Returns the path of the Chromium to start.
 * @param configured `tools.browser.executable`
 * @throws Error that says what to install if there is none
 */
export function findChromium(
  configured: string | undefined,
  path = process.env['PATH'] ?? '',
  places: readonly string[] = PLACES[process.platform] ?? [],
): string {
  if (configured !== undefined) {
    if (existsSync(configured)) return configured;
    throw new Error(`there is no program ${configured} (tools.browser.executable)`);
  }
  const onPath = path.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const found = [...onPath, ...places].find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  const advice = ADVICE[process.platform] ?? 'install one';
  throw new Error(
    `there is no Chromium on this machine: ${advice}, or set tools.browser.executable or tools.browser.cdp_url`,
  );
}
