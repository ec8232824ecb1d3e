import { expect } from 'vitest';
import type { CanvasBlock, StreamBlock } from '../../protocol/domain.js';
import type { Claim, SurfaceDraft } from '../../core/store/index.js';
import { aFrame, anEnd, aReply } from '../factories.js';
import type { Contract, StoreBench } from './bench.js';

const LIMITS = { open: 2, closed: 1, older: { states: 2, bytes: 100, ms: 1_000 } };
let calls = 0;

function aDraft(changes: Partial<SurfaceDraft> = {}): SurfaceDraft {
  return {
    sessionId: 's_alice',
    surfaceId: 'form',
    tenant: 'default',
    kind: 'a2ui',
    content: '[]',
    isClosed: false,
    isNew: true,
    callId: `c_${++calls}`,
    messageRef: 'm_unknown_1',
    updatedAt: 1_800_000_000_000 + calls,
    ...changes,
  };
}

/** States that a message shows, each a block with a text. */
class ShownStates {
  private readonly blocks: StreamBlock[] = [];

  constructor(
    private readonly bench: StoreBench,
    private readonly claim: Claim,
  ) {}

  async add(surfaceId: string, text: string): Promise<void> {
    const { sessionId, messageRef } = this.claim.message;
    const draft = aDraft({ sessionId, surfaceId, messageRef, content: JSON.stringify([text]) });
    const saved = await this.bench.store.saveSurface({ ...draft, updatedAt: this.bench.under.now() }, LIMITS);
    const state = { surface_id: surfaceId, version: saved?.version, kind: 'a2ui', messages: [text] };
    const block = { block_type: 'canvas', block_id: `b${this.blocks.length}`, content: JSON.stringify(state) } as const;
    this.blocks.push(block);
    const frame = aFrame(this.claim, '', { payload: JSON.stringify(block) });
    await this.bench.store.append(this.claim.lease, { frames: [frame], journal: [] });
  }

  async end(): Promise<void> {
    await this.bench.store.finish(this.claim.lease, anEnd(this.claim, { reply: aReply({ blocks: this.blocks }) }));
  }

  async sweep(): Promise<void> {
    const nothing = { framesBefore: 0, dedupeBefore: 0, sessionsBefore: undefined };
    for (let round = 0; await this.bench.store.sweep(nothing); round++) expect(round).toBeLessThan(100);
  }

  /** Returns the texts that the log and the reply still have. */
  async read(): Promise<{ readonly log: string[]; readonly reply: string[] }> {
    const frames = await this.bench.log(this.claim.message.sessionId);
    const { messages } = await this.bench.store.readHistory(this.claim.message.sessionId, 1);
    const { blocks = [] } = messages[0]?.reply ?? {};
    return {
      log: textsOf(
        frames.filter(({ type }) => type === 'stream_block').map(({ payload }) => JSON.parse(payload) as StreamBlock),
      ),
      reply: textsOf(blocks),
    };
  }
}

function textsOf(blocks: readonly StreamBlock[]): string[] {
  return blocks.flatMap(({ content }) => ((JSON.parse(content) as CanvasBlock).messages ?? []) as string[]);
}

/** Surfaces: their states, what people entered, and the addresses of pages. */
export const canvasContract: Contract = {
  'counts the versions of a surface, and keeps the newest state across a crash': async (bench) => {
    const { store } = bench;
    expect(await store.saveSurface(aDraft(), LIMITS)).toMatchObject({ version: 1, since: 1, content: '[]' });
    const change = aDraft({ content: '[1]', title: 'Now "titled"', isNew: false });
    expect(await store.saveSurface(change, LIMITS)).toMatchObject({ version: 2, since: 1 });
    const again = await store.saveSurface(aDraft({ kind: 'html', content: undefined, mediaId: 'f_1' }), LIMITS);
    expect(again).toMatchObject({ version: 3, since: 3, kind: 'html', mediaId: 'f_1' });
    expect(again).not.toHaveProperty('content');
    await bench.under.crash();
    expect(await bench.store.findSurface('s_alice', 'form')).toEqual(again);
    expect(await bench.store.findSurface('s_bob', 'form')).toBeUndefined();
  },

  '[Y-04] stores the state of a tool call once, also when it runs again': async ({ store }) => {
    const draft = aDraft();
    const saved = await store.saveSurface(draft, LIMITS);
    expect(await store.saveSurface({ ...draft, content: '[2]' }, LIMITS)).toEqual(saved);
    const closing = aDraft({ isClosed: true, content: undefined, isNew: false });
    expect(await store.saveSurface(closing, LIMITS)).toMatchObject({ version: 2, isClosed: true });
    expect(await store.saveSurface(closing, LIMITS)).toMatchObject({ version: 2, isClosed: true });
  },

  'limits the open surfaces of a session, and forgets the oldest closed ones': async ({ store }) => {
    for (const surfaceId of ['a', 'b']) expect(await store.saveSurface(aDraft({ surfaceId }), LIMITS)).toBeDefined();
    expect(await store.saveSurface(aDraft({ surfaceId: 'c' }), LIMITS)).toBeUndefined();
    expect(await store.saveSurface(aDraft({ surfaceId: 'a', isNew: false }), LIMITS)).toMatchObject({ version: 2 });
    expect(await store.saveSurface(aDraft({ surfaceId: 'c', sessionId: 's_bob' }), LIMITS)).toBeDefined();
    for (const surfaceId of ['a', 'b']) await store.saveSurface(aDraft({ surfaceId, isClosed: true }), LIMITS);
    expect(await store.listSurfaces('s_alice')).toEqual([]);
    expect(await store.findSurface('s_alice', 'a')).toBeUndefined();
    expect(await store.findSurface('s_alice', 'b')).toMatchObject({ isClosed: true });
    expect(await store.saveSurface(aDraft({ surfaceId: 'b' }), LIMITS)).toMatchObject({ version: 3, isClosed: false });
    await store.saveSurface(aDraft({ surfaceId: 'd' }), LIMITS);
    expect((await store.listSurfaces('s_alice')).map(({ surfaceId }) => surfaceId)).toEqual(['d', 'b']);
  },

  'keeps what was entered until the surface is shown again or closed': async ({ store }) => {
    const entered = { data: '{"name":"Ada"}', version: 1, at: 1_800_000_000_000 };
    await store.noteEntered('s_alice', 'form', entered);
    expect(await store.findSurface('s_alice', 'form')).toBeUndefined();
    await store.saveSurface(aDraft(), LIMITS);
    await store.noteEntered('s_alice', 'form', entered);
    expect(await store.saveSurface(aDraft({ isNew: false }), LIMITS)).toMatchObject({ entered });
    expect(await store.saveSurface(aDraft(), LIMITS)).not.toHaveProperty('entered');
    await store.noteEntered('s_alice', 'form', entered);
    expect(await store.saveSurface(aDraft({ isClosed: true }), LIMITS)).not.toHaveProperty('entered');
    await store.noteEntered('s_alice', 'form', entered);
    expect(await store.findSurface('s_alice', 'form')).not.toHaveProperty('entered');
  },

  'finds an address until it expires, and the newest ones of a surface only': async (bench) => {
    const { store } = bench;
    const of = (capabilityHash: string, surfaceId = 'form') => ({
      ...{ capabilityHash, sessionId: 's_alice', surfaceId, version: 1 },
      expiresAt: bench.under.now() + 1_000,
    });
    await store.addCanvasAddress(of('other', 'page'), 2);
    for (const hash of ['h1', 'h2', 'h3']) await store.addCanvasAddress(of(hash), 2);
    expect(await store.findCanvasAddress('h1')).toBeUndefined();
    expect(await store.findCanvasAddress('h3')).toEqual(of('h3'));
    expect(await store.findCanvasAddress('other')).toBeDefined();
    await bench.under.passTime(1_001);
    expect(await store.findCanvasAddress('h3')).toBeUndefined();
    const later = bench.under.now();
    while (await store.sweep({ framesBefore: later, dedupeBefore: later, sessionsBefore: undefined }));
    expect(await store.findCanvasAddress('other')).toBeUndefined();
  },

  '[Y-14] takes what older states showed out of the log and the reply, by their number, size and age': async (
    bench,
  ) => {
    const claim = await bench.run({ receivedAt: bench.under.now() });
    const shown = new ShownStates(bench, claim);
    for (const text of ['a1', 'a2', 'a3', 'a4']) await shown.add('a', text);
    for (const text of ['x'.repeat(95), 'b2', 'b3']) await shown.add('b', text);
    await shown.end();
    await shown.sweep();
    const kept = ['a2', 'a3', 'a4', 'b2', 'b3'];
    expect(await shown.read()).toEqual({ log: kept, reply: kept });
    await bench.under.crash();
    await bench.under.passTime(1_000);
    await shown.sweep();
    expect(await shown.read()).toEqual({ log: ['a4', 'b3'], reply: ['a4', 'b3'] });
    expect(await bench.log()).toHaveLength(8);
  },

  '[Y-14] leaves the blocks of a message alone that has not ended': async (bench) => {
    const claim = await bench.run({ receivedAt: bench.under.now() });
    const shown = new ShownStates(bench, claim);
    for (const text of ['a1', 'a2', 'a3', 'a4']) await shown.add('a', text);
    await shown.sweep();
    expect((await shown.read()).log).toEqual(['a1', 'a2', 'a3', 'a4']);
    await shown.end();
    await bench.under.passTime(60_000);
    await shown.sweep();
    expect(await shown.read()).toEqual({ log: ['a4'], reply: ['a4'] });
  },

  "deletes a session's surfaces with the session": async (bench) => {
    await bench.finish(await bench.run({ receivedAt: bench.under.now() }));
    await bench.store.saveSurface(aDraft(), LIMITS);
    await bench.store.saveSurface(aDraft({ sessionId: 's_bob' }), LIMITS);
    const later = bench.under.now() + 1_000;
    while (await bench.store.sweep({ framesBefore: later, dedupeBefore: later, sessionsBefore: later }));
    expect(await bench.store.findSurface('s_alice', 'form')).toBeUndefined();
    expect(await bench.store.findSurface('s_bob', 'form')).toBeDefined();
  },
};
