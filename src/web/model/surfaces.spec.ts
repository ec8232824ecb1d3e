import { describe, expect, it } from 'vitest';
import type { StreamBlock, Transcript } from '../../client/index.js';
import { findSurface, isActing, readSurface } from './surfaces.js';

let blocks = 0;
const aBlock = (state: object | string): StreamBlock => ({
  block_id: `b_${++blocks}`,
  block_type: 'canvas',
  content: typeof state === 'string' ? state : JSON.stringify(state),
});
const aState = (surface_id: string, version: number, changes: object = {}) => ({
  ...{ surface_id, version, since: 1, kind: 'a2ui', messages: [{}] },
  ...changes,
});
const transcriptOf = (...replies: (readonly StreamBlock[])[]) =>
  ({
    messages: replies.map((reply) => ({ reply: { standing: reply.map((block) => ({ seq: 1, block })) } })),
  }) as unknown as Transcript;

describe('the surfaces of a conversation', () => {
  it('[Y-04] are in the state of the last block, also if the version begins again', () => {
    const transcript = transcriptOf(
      [aBlock(aState('a', 1)), aBlock(aState('a', 7, { closed: true }))],
      [aBlock(aState('b', 1)), aBlock(aState('a', 1, { title: 'New' }))],
      [],
    );
    expect(findSurface(transcript, 'a')).toMatchObject({ version: 1, title: 'New' });
    expect(findSurface(transcript, 'c')).toBeUndefined();
  });

  it('are the same objects as long as their blocks are', () => {
    const block = aBlock(aState('a', 1));
    expect(readSurface(block)).toBe(readSurface(block));
    expect(findSurface(transcriptOf([block]), 'a')).toBe(findSurface(transcriptOf([block, aBlock('{}')]), 'a'));
  });

  it('are not what other blocks hold', () => {
    for (const content of [
      '',
      '{',
      '[]',
      '{"title":"Canvas","elements":[]}',
      JSON.stringify(aState('a', 1, { kind: 'x' })),
    ])
      expect(readSurface(aBlock(content)), content).toBeUndefined();
    expect(readSurface({ ...aBlock(aState('a', 1)), block_type: 'text' })).toBeUndefined();
  });

  it('[Y-01] wait until what was pressed is stored', () => {
    const surface = readSurface(aBlock(aState('a', 1)))!;
    const outbox = { messages: [{ canvas: { surface_id: 'a' } }] };
    expect(isActing({ outbox } as never, surface)).toBe(true);
    expect(isActing({ outbox: { messages: [{}] } } as never, surface)).toBe(false);
  });
});
