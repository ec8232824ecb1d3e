import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NodeMedia, type NodeCommandSetup } from '../../client/node/index.js';
import { findProgram } from './find-program.js';

const run = promisify(execFile);

const NOTIFY_TIMEOUT_MS = 10_000;

/** Shows the texts that are its arguments, so that they are not part of the script. */
const APPLE_SCRIPT = ['on run argv', 'display notification (item 2 of argv) with title (item 1 of argv)', 'end run'];

/** Shows the texts of two variables. */
const WINDOWS_SCRIPT =
  'Add-Type -AssemblyName System.Windows.Forms; $n = New-Object System.Windows.Forms.NotifyIcon; ' +
  '$n.Icon = [System.Drawing.SystemIcons]::Information; $n.Visible = $true; ' +
  '$n.ShowBalloonTip(5000, $env:NODE_TITLE, $env:NODE_TEXT, "Info"); Start-Sleep -Seconds 5; $n.Dispose()';

/** A program that shows a notification: its path, and the arguments for a title and a text. */
type Notifier = readonly [name: string, args: (title: string, text: string) => readonly string[]];

const NOTIFIERS: Readonly<Record<string, readonly Notifier[]>> = {
  linux: [['notify-send', (title, text) => ['--', title, text]]],
  darwin: [['osascript', (title, text) => [...APPLE_SCRIPT.flatMap((line) => ['-e', line]), title, text]]],
  win32: [['powershell', () => ['-NoProfile', '-NonInteractive', '-Command', WINDOWS_SCRIPT]]],
};

/** A program that writes a picture of the screen to a file. */
type Capturer = readonly [name: string, args: (file: string) => readonly string[]];

const CAPTURERS: Readonly<Record<string, readonly Capturer[]>> = {
  linux: [
    ['grim', (file) => [file]],
    ['gnome-screenshot', (file) => ['-f', file]],
    ['spectacle', (file) => ['-b', '-n', '-o', file]],
    ['scrot', (file) => [file]],
    ['import', (file) => ['-window', 'root', file]],
  ],
  darwin: [['screencapture', (file) => ['-x', file]]],
};

/** Returns `system.notify` if a program for it is here. */
export function makeNotifyCommand(): NodeCommandSetup[] {
  const found = findFirst(NOTIFIERS[process.platform] ?? []);
  if (!found) return [];
  const { path, args } = found;
  const text = { type: 'string', minLength: 1, maxLength: 500 };
  return [
    {
      name: 'system.notify',
      description: 'Shows a notification on this machine.',
      parameters: {
        type: 'object',
        properties: { title: text, text },
        required: ['title', 'text'],
        additionalProperties: false,
      },
      async run(parameters, { signal }) {
        const { title, text: body } = parameters as { title: string; text: string };
        const env = { ...process.env, NODE_TITLE: title, NODE_TEXT: body };
        await run(path, [...args(title, body)], { signal, timeout: NOTIFY_TIMEOUT_MS, env });
        return { shown: true };
      },
    },
  ];
}

/** Returns `screen.capture` if a program for it is here. */
export function makeCaptureCommand(): NodeCommandSetup[] {
  const found = findFirst(CAPTURERS[process.platform] ?? []);
  if (!found) return [];
  const { path, args } = found;
  return [
    {
      name: 'screen.capture',
      description: 'Takes a picture of the screen.',
      parameters: { type: 'object', properties: {}, additionalProperties: false },
      // The person at the machine is not asked.
      dangerous: true,
      idempotent: true,
      async run(_parameters, { signal }) {
        const folder = await mkdtemp(join(tmpdir(), 'capture-'));
        try {
          const file = join(folder, 'screen.png');
          await run(path, [...args(file)], { signal });
          return new NodeMedia(new Uint8Array(await readFile(file)));
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
    },
  ];
}

/** Returns the first of the programs that this machine has. */
function findFirst<A>(programs: readonly (readonly [name: string, args: A])[]): { path: string; args: A } | undefined {
  for (const [name, args] of programs) {
    const path = findProgram(name);
    if (path !== undefined) return { path, args };
  }
  return undefined;
}
