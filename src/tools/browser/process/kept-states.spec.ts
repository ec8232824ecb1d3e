import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptStates } from './kept-states.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'states-'))));
afterEach(() => rmSync(folder, { recursive: true }));
const STATE = { cookies: [], origins: [] };

describe('the states of sessions', () => {
  it('[U-12] are files that only their user can read, and end with their session', async () => {
    const states = new KeptStates(
      () => join(folder, 'states'),
      () => true,
    );
    await states.save('s_one', STATE);
    expect(statSync(join(folder, 'states', 's_one.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'states')).mode & 0o777).toBe(0o700);
    expect([await states.load('s_one'), await states.load('s_two'), await states.list()]).toEqual([
      STATE,
      undefined,
      ['s_one'],
    ]);
    await states.remove('s_one');
    await states.remove('s_one');
    expect(await states.list()).toEqual([]);
  });

  it('[U-12] are neither written nor read while the settings do not say so', async () => {
    let isOn = true;
    const states = new KeptStates(
      () => folder,
      () => isOn,
    );
    await states.save('s_one', STATE);
    isOn = false;
    await states.save('s_two', STATE);
    expect([await states.load('s_one'), readdirSync(folder)]).toEqual([undefined, ['s_one.json']]);
  });

  it('[U-12] that are damaged, or whose session has no name of a file, are none', async () => {
    const states = new KeptStates(
      () => folder,
      () => true,
    );
    writeFileSync(join(folder, 's_one.json'), '{"cookies":[');
    await states.save('../s_two', STATE);
    expect([await states.load('s_one'), await states.load('../s_two'), readdirSync(folder)]).toEqual([
      ...[undefined, undefined],
      ['s_one.json'],
    ]);
  });
});
