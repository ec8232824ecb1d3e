import { expect } from 'vitest';
import type { SurfaceDraft } from '../../core/store/index.js';
import type { Contract } from './bench.js';

const LIMITS = { open: 2, closed: 1 };
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
    updatedAt: 1_800_000_000_000 + calls,
    ...changes,
  };
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
