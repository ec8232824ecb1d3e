/**
 * Who is spoken to (protocol.md section 9): the agent answers in a group only when it is addressed.
 */

/** `/name` at the very start, followed by the end or a space: not a path, not a fraction. */
const COMMAND = /^\/([a-z][a-z0-9_-]*)(?:\s+|$)/i;

/** A message that is a `/` command: its name in lower case and what follows. */
export interface Command {
  readonly name: string;
  readonly argument: string;
}

/** Reads a `/` command; undefined when the text is none. */
export function parseCommand(text: string): Command | undefined {
  const match = COMMAND.exec(text);
  return match?.[1] === undefined
    ? undefined
    : { name: match[1].toLowerCase(), argument: text.slice(match[0].length).trim() };
}

let compiled: { readonly name: string; readonly expression: RegExp } | undefined;

/**
 * Whether `text` mentions the agent as `@name`, in any case. No letter, digit, `_` or `-` of any script just before the
 * `@` or just after the name, and no `.` with a letter behind it: `x@openclaw.com` and `@openclaw-bot` are no mentions,
 * `@OpenClaw, hi` and `hi @openclaw.` are.
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
  // `-` needs no escape outside a class, and may not have one under the `u` flag.
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
