import type { Command } from './command.js';

/** The actions and flags of a command. */
export interface Synopsis {
  /** The words that its first argument can be, in the order of the usage. */
  readonly actions: readonly string[];
  /** Its flags, with their dashes. */
  readonly flags: readonly string[];
}

/** The lines of a usage that show how a command is called, up to the first empty one. */
const CALLS = /^Usage: [^]*?\n\n/;
/** The lines that describe a flag. */
const DESCRIBED_FLAG = /^ {2}(?:-\w, )?(--[a-z][a-z-]*)/gm;
const FLAG = /--[a-z][a-z-]*/g;

/** Reads from the usage of a command what it takes, so that there is one description of it. */
export function readSynopsis({ name, usage }: Pick<Command, 'name' | 'usage'>): Synopsis {
  const [calls = ''] = CALLS.exec(usage) ?? [];
  const words = [...calls.matchAll(new RegExp(`openclaw ${name} \\[?([a-z][a-z|-]*)`, 'g'))];
  return {
    actions: unique(words.flatMap(([, action = '']) => action.split('|'))),
    flags: unique([
      ...(calls.match(FLAG) ?? []),
      ...[...usage.matchAll(DESCRIBED_FLAG)].map(([, flag = '']) => flag),
      '--help',
    ]),
  };
}

function unique(words: readonly string[]): readonly string[] {
  return [...new Set(words)];
}
