/** Mentions and commands in texts (protocol.md section 9): in a group the agent answers only when it is addressed. */

/** A letter of a script that puts no spaces between words. */
const UNSPACED = '[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}]';
const UNSPACED_AFTER = `(?:${UNSPACED}|\\p{scx=Hang})`;
const WORD = '[\\p{L}\\p{M}\\p{N}_-]';

/** `/name` or `/name@agent` at the start, followed by a space or the end, so that paths and fractions do not match. */
const COMMAND = /^\/([a-z][a-z0-9_-]*)(?:[@\uFF20](\S+))?(?:\s+|$)/i;

/** Maximum length of the mention before a command, in UTF-16 units. */
const MAX_MENTION_LENGTH = 256;

/** A `/` command: its name in lower case, and the rest of the text. */
export interface Command {
  readonly name: string;
  readonly argument: string;
}

/** The expressions for an agent's name. */
interface Expressions {
  readonly name: string;
  readonly mention: RegExp;
  /** A text of nothing but the mention. */
  readonly alone: RegExp;
}

let compiled: Expressions | undefined;

/**
 * Parses a `/` command; returns undefined if the text is not one. A mention of the agent may stand before the command or,
 * as in `/help@name`, at its end; a command for another name is not one.
 */
export function parseCommand(text: string, agentName: string): Command | undefined {
  const start = text.indexOf('/');
  if (start === -1 || start > MAX_MENTION_LENGTH) return undefined;
  const { alone } = compile(agentName);
  if (start > 0 && !alone.test(normalise(text.slice(0, start)))) return undefined;
  const [whole = '', name, suffix] = COMMAND.exec(text.slice(start)) ?? [];
  if (name === undefined) return undefined;
  if (suffix !== undefined && !alone.test(normalise(`@${suffix}`))) return undefined;
  return { name: name.toLowerCase(), argument: text.slice(start + whole.length).trim() };
}

/**
 * Returns whether `text` mentions the agent as `@name`, compared after NFKC and ignoring case. There must be no letter,
 * digit, `_` or `-` directly before the `@` or after the name, and no `.` followed by a letter: `@OpenClaw, hi` and `hi
 * @openclaw.` are mentions; `x@openclaw.com` and `@openclaw-bot` are not. Letters of scripts without spaces do not
 * count: `请@openclaw帮我` is a mention.
 */
export function mentionsAgent(text: string, agentName: string): boolean {
  return /[@\uFF20\uFE6B]/.test(text) && compile(agentName).mention.test(normalise(text));
}

function normalise(text: string): string {
  return text.normalize('NFKC');
}

function compile(agentName: string): Expressions {
  if (compiled?.name !== agentName) {
    const name = `@${escape(normalise(agentName))}`;
    const before = `(?<!(?!${UNSPACED})${WORD})`;
    const after = `(?!(?!${UNSPACED_AFTER})${WORD}|\\.(?!${UNSPACED_AFTER})\\p{L})`;
    compiled = {
      name: agentName,
      mention: new RegExp(`${before}${name}${after}`, 'iu'),
      alone: new RegExp(`^\\s*${name}\\s*[,:]?\\s*$`, 'iu'),
    };
  }
  return compiled;
}

function escape(text: string): string {
  // Under the `u` flag, `-` must not be escaped outside a class.
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
