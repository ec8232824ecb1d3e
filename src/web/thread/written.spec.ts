import { describe, expect, it } from 'vitest';
import { beginReply } from '../../protocol/reply-state.js';
import type { StreamBlock } from '../../protocol/index.js';
import { writeReply } from './written.js';

const replyOf = (...blocks: Omit<StreamBlock, 'block_id'>[]) => ({
  ...beginReply(),
  standing: blocks.map((block, i) => ({ block: { block_id: `b${i}`, ...block }, seq: i + 1 })),
});

describe('the copy of a reply', () => {
  it('is the reply as it was written, with the fences of its code', () => {
    const reply = replyOf(
      { block_type: 'markdown', content: '# Steps\n\nRun **this**:' },
      { block_type: 'code', content: '# not a heading\nls', metadata: { language: 'sh' } },
      { block_type: 'tool_call', content: '{"tool":"time.now"}' },
      { block_type: 'markdown', content: 'Done.' },
    );
    expect(writeReply(reply)).toBe('# Steps\n\nRun **this**:\n\n```sh\n# not a heading\nls\n```\n\nDone.');
  });

  it('has fences that the code does not close', () => {
    expect(writeReply(replyOf({ block_type: 'code', content: 'a ```` b\n' }))).toBe('`````\na ```` b\n`````');
  });
});
