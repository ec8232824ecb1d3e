import type { ReplyState, StreamBlock } from '../../client/index.js';
import { describeBlock } from '../blocks/blocks.js';
import { readText } from '../blocks/fold.js';

/** Returns a reply as it was written, in Markdown, without its tool calls. */
export function writeReply({ standing }: Pick<ReplyState, 'standing'>): string {
  return standing
    .filter(({ block: { block_type } }) => block_type !== 'tool_call' && block_type !== 'tool_result')
    .map(({ block }) => (block.block_type === 'code' ? fence(block) : describeBlock(block)))
    .join('\n\n');
}

/** Puts the fences around code that the gateway took off. They are longer than any row of backticks in the code. */
function fence({ content, metadata }: StreamBlock): string {
  const rows = content.match(/`+/g) ?? [];
  const fences = '`'.repeat(Math.max(3, ...rows.map(({ length }) => length + 1)));
  return `${fences}${readText(metadata?.['language']) ?? ''}\n${content.replace(/\n$/, '')}\n${fences}`;
}
