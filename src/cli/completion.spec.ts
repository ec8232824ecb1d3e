import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { COMMANDS, run } from './cli.js';
import { readSynopsis } from './synopsis.js';

async function scriptFor(shell: string): Promise<string> {
  const terminal = new FakeTerminal();
  expect(await run(['completion', shell], terminal)).toBe(0);
  return terminal.stdout.text;
}

/** How each shell lists what it offers after a line, with the script as a file. The last word is being typed. */
const PROGRAMS: Readonly<Record<string, (script: string, line: string) => readonly string[]>> = {
  bash: (script, line) => [
    '-c',
    `source ${script}; COMP_WORDS=(${line.replace(/ $/, " ''")}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _openclaw; echo "\${COMPREPLY[@]}"`,
  ],
  zsh: (script) => ['-n', script],
  fish: (script, line) => ['-c', `source ${script}; complete -C '${line}' | string split -f1 \\t`],
};

const isThere = (shell: string) => {
  try {
    execFileSync(shell, ['-c', ':'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

describe('the usages of commands', () => {
  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    '[P-30] %s has two examples that begin with it, and --json where it prints a result',
    (name, command) => {
      const [, examples = ''] = command.usage.split('\nExamples:\n');
      const lines = examples.trimEnd().split('\n');
      expect(lines.length).toBeGreaterThanOrEqual(2);
      for (const line of lines) expect(line).toMatch(new RegExp(`^  openclaw ${name}( |$)`));
      const printsNoResult = ['start', 'setup', 'node', 'completion'].includes(name);
      expect(readSynopsis(command).flags.includes('--json')).toBe(!printsNoResult);
      expect(command.usage.split('\n').filter((line) => line.length > 140)).toEqual([]);
    },
  );

  it('[P-30] say which actions and flags there are', () => {
    const usage =
      'Usage: openclaw a [list] [--x N]\n       openclaw a b|c ID [--json]\n\nNot --this.\n\n  -f, --follow  on\n';
    expect(readSynopsis({ name: 'a', usage })).toEqual({
      actions: ['list', 'b', 'c'],
      flags: ['--x', '--json', '--follow', '--help'],
    });
  });
});

describe('openclaw completion', () => {
  it.each(Object.keys(PROGRAMS))('[P-30] for %s names every command, action and flag', async (shell) => {
    const script = await scriptFor(shell);
    for (const command of COMMANDS) {
      const { actions, flags } = readSynopsis(command);
      expect(script).toContain(command.name);
      for (const word of actions) expect(script).toContain(word);
      for (const flag of flags) expect(script).toContain(shell === 'fish' ? `-l ${flag.slice(2)}` : flag);
    }
  });

  it.each(Object.keys(PROGRAMS).filter(isThere))('[P-30] is a script that %s runs', async (shell) => {
    const folder = mkdtempSync(join(tmpdir(), 'completion-'));
    const file = join(folder, 'script');
    writeFileSync(file, await scriptFor(shell));
    const offer = (line: string) =>
      execFileSync(shell, PROGRAMS[shell]?.(file, line) ?? [], { encoding: 'utf8' })
        .trim()
        .split(/\s+/);
    try {
      if (shell === 'zsh') expect(offer('')).toEqual(['']);
      else {
        expect(offer('openclaw sess')).toEqual(['sessions']);
        expect(offer('openclaw connections ')).toEqual(expect.arrayContaining(['list', 'close']));
        expect(offer('openclaw config hi')).toEqual(['history']);
        expect(offer('openclaw logs --fo')).toEqual(['--follow']);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('[P-30] refuses shells that it does not know', async () => {
    for (const args of [[], ['ksh'], ['bash', 'x']])
      expect(await run(['completion', ...args], new FakeTerminal())).toBe(2);
  });
});
