/** Mentions and commands in texts (protocol.md section 9): in a group the agent answers only when it is addressed. */

/** `/name` at the start, followed by a space or the end, so that paths and fractions do not match. */
const COMMAND = /^\/([a-z][a-z0-9_-]*)(?:\s+|$)/i;

/** A `/` command: its name in lower case, and the rest of the text. */
export interface Command {
  readonly name: string;
  readonly argument: string;
}

/** Parses a `/` command; returns undefined if the text is not one. */
export function parseCommand(text: string): Command | undefined {
  const match = COMMAND.exec(text);
  return match?.[1] === undefined
    ? undefined
    : { name: match[1].toLowerCase(), argument: text.slice(match[0].length).trim() };
}

let compiled: { readonly name: string; readonly expression: RegExp } | undefined;

/**
 * Whether `text` mentions the agent as `@name`, ignoring case. There must be no letter, digit, `_` or `-` of any script
 * directly before the `@` or after the name, and no `.` followed by a letter: `@OpenClaw, hi` and `hi @openclaw.` are
 * mentions; `x@openclaw.com` and `@openclaw-bot` are not.
 */
export function mentionsAgent(text: string, agentName: string): boolean {
  if (!text.includes('@')) return false;
  if (compiled?.name !== agentName) compiled = { name: agentName, expression: compileMention(agentName) };
  return compiled.expression.test(text);
}

function compileMention(agentName: string): RegExp {
  const word = '[\\p{L}\\p{M}\\p{N}_-]';
  return new RegExp(`(?<!${word})@${escape(agentName)}(?!${word}|\\.\\p{L})`, 'iu');
}

function escape(text: string): string {
  // Under the `u` flag, `-` must not be escaped outside a class.
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
