import type { StreamBlock } from '../../protocol/domain.js';
import type { Json, Reply } from './records.js';

/** The text of the first blocks of a list. It is valid while `last` is at its place. */
interface Prefix {
  readonly count: number;
  readonly last: StreamBlock | undefined;
  readonly texts: readonly Json[];
}

const NOTHING: Prefix = { count: 0, last: undefined, texts: [] };

/** By the list of a reply that grows. */
const prefixes = new WeakMap<readonly StreamBlock[], Prefix>();

/**
 * Encodes the blocks of a reply that grows, so that its end has less to do: encoding ten thousand blocks at once would
 * block the event loop. Blocks may be added and removed at the end of the list, and do not change.
 */
export function encodeAhead(blocks: readonly StreamBlock[]): void {
  const before = findPrefix(blocks);
  const text = JSON.stringify(blocks.slice(before.count)).slice(1, -1);
  prefixes.set(blocks, { count: blocks.length, last: blocks.at(-1), texts: [...before.texts, text] });
}

/** Returns a reply as JSON. */
export function encodeReply({ blocks, ...rest }: Reply): Json {
  const { count, texts } = findPrefix(blocks);
  const tail = JSON.stringify(blocks.slice(count)).slice(1, -1);
  const list = [...texts, tail].filter((text) => text !== '').join(',');
  return `${JSON.stringify(rest).slice(0, -1)},"blocks":[${list}]}`;
}

function findPrefix(blocks: readonly StreamBlock[]): Prefix {
  const prefix = prefixes.get(blocks);
  return prefix && blocks[prefix.count - 1] === prefix.last ? prefix : NOTHING;
}
