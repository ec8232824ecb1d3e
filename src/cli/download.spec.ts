import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'download-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const MODULE = new URL('download.ts', import.meta.url).href;

/** A program that saves a stream which does not end. It says when a part of it is there. */
const SAVING = `
  import { saveWhole } from ${JSON.stringify(MODULE)};
  async function* endless() {
    yield Buffer.from('a secret');
    process.stdout.write('begun');
    await new Promise((resolve) => setInterval(resolve, 60_000));
  }
  await saveWhole(endless(), 'copy.tar');
`;

it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'a file that %s keeps from being whole is removed',
  async (signal) => {
    const saving = spawn(process.execPath, ['--input-type=module', '-e', SAVING], { cwd: folder });
    await once(saving.stdout, 'data');
    expect(readdirSync(folder)).toEqual(['copy.tar.part']);
    saving.kill(signal);
    expect(await once(saving, 'exit')).toEqual([null, signal]);
    expect(readdirSync(folder)).toEqual([]);
  },
);
