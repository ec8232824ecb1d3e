import { existsSync } from 'node:fs';

/** Where installations put a Chromium, by operating system. */
const PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: [
    ...['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'],
    '/snap/bin/chromium',
  ],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
};

/** Returns the path of the Chromium to start. @throws Error that says what to do if there is none */
export function findChromium(configured: string | undefined): string {
  if (configured !== undefined) {
    if (existsSync(configured)) return configured;
    throw new Error(`there is no program ${configured} (tools.browser.executable)`);
  }
  const found = (PLACES[process.platform] ?? []).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error('there is no Chromium on this machine: install one, or set tools.browser.executable or cdp_url');
}
