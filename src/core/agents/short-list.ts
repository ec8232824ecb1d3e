/** Maximum length of a list of agents, in UTF-16 units. */
const MAX_LENGTH = 8_000;
/** Maximum length of a description in a list of agents, in UTF-16 units. */
const MAX_DESCRIPTION_LENGTH = 200;

/** The beginning of a list of agents. */
export interface ShortList {
  readonly lines: readonly string[];
  /** Number of agents for which there was no room. */
  readonly leftOut: number;
}

/** Returns the lines of agents that fit into a text of 8,000 characters, in order. */
export function listShortly<A>(agents: readonly A[], describe: (agent: A) => string): ShortList {
  const lines: string[] = [];
  let left = MAX_LENGTH;
  for (const agent of agents) {
    const line = describe(agent);
    left -= line.length + 1;
    if (left < 0) break;
    lines.push(line);
  }
  return { lines, leftOut: agents.length - lines.length };
}

/** Returns a description of any length as the end of a line; empty if there is none. */
export function endWith(description: string | undefined): string {
  const line = description?.replaceAll(/\s+/g, ' ').trim() ?? '';
  if (line === '') return '';
  return `: ${line.length > MAX_DESCRIPTION_LENGTH ? `${line.slice(0, MAX_DESCRIPTION_LENGTH).toWellFormed()}…` : line}`;
}
