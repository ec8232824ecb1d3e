import { expect } from 'vitest';
import type { NodePairing, PairingDevice } from '../../core/store/index.js';
import type { Contract, StoreBench } from './bench.js';

const OPEN = 20;
const DAY_MS = 86_400_000;

function aPairing(bench: StoreBench, changes: Partial<NodePairing> = {}): NodePairing {
  return { codeHash: 'c1', tenant: 'default', name: 'Kitchen Mac', expiresAt: bench.under.now() + 1_000, ...changes };
}

const aDevice = (changes: Partial<PairingDevice> = {}): PairingDevice => ({
  codeHash: 'c1',
  name: 'A device',
  publicKey: 'key-1',
  random: 'ab12',
  ...changes,
});

/** A node `kitchen-mac` with the key `key-1`. */
async function pairOne(bench: StoreBench): Promise<void> {
  await bench.store.addNodePairing(aPairing(bench), OPEN, 'ann');
  expect((await bench.store.pairNode(aDevice())).kind).toBe('paired');
}

/** Device nodes: codes, nodes, commands, calls and events. */
export const nodesContract: Contract = {
  'lets one device in with a code, once and in time': async (bench) => {
    const { store } = bench;
    await store.addNodePairing(aPairing(bench, { allow: ['lamp.*'] }), OPEN, 'ann');
    expect(await store.pairNode(aDevice({ codeHash: 'c2' }))).toEqual({ kind: 'refused' });
    expect(await store.pairNode(aDevice())).toMatchObject({
      kind: 'paired',
      node: { nodeId: 'kitchen-mac', name: 'Kitchen Mac', publicKey: 'key-1', allow: ['lamp.*'] },
    });
    expect(await store.pairNode(aDevice({ publicKey: 'key-2' }))).toEqual({ kind: 'refused' });
    await store.addNodePairing(aPairing(bench, { codeHash: 'c3' }), OPEN, 'ann');
    await bench.under.passTime(1_001);
    expect(await store.pairNode(aDevice({ codeHash: 'c3', publicKey: 'key-2' }))).toEqual({ kind: 'refused' });
  },

  'keeps a code when another node has the key, and replaces the key of the node that it names': async (bench) => {
    const { store } = bench;
    await pairOne(bench);
    await store.addNodePairing(aPairing(bench, { codeHash: 'c2' }), OPEN, 'ann');
    expect(await store.pairNode(aDevice({ codeHash: 'c2' }))).toEqual({ kind: 'keyTaken' });
    expect(await store.pairNode(aDevice({ codeHash: 'c2', publicKey: 'key-2' }))).toMatchObject({
      node: { nodeId: 'kitchen-mac-2' },
    });
    await store.addNodePairing(aPairing(bench, { codeHash: 'c3', replace: 'kitchen-mac' }), OPEN, 'ann');
    expect(await store.pairNode(aDevice({ codeHash: 'c3', publicKey: 'key-3' }))).toMatchObject({
      node: { nodeId: 'kitchen-mac', publicKey: 'key-3' },
    });
  },

  'takes as many codes of a tenant as may wait': async (bench) => {
    const { store } = bench;
    for (const n of [1, 2])
      expect(await store.addNodePairing(aPairing(bench, { codeHash: `c${n}` }), 2, 'ann')).toBe(true);
    expect(await store.addNodePairing(aPairing(bench, { codeHash: 'c3' }), 2, 'ann')).toBe(false);
    expect(await store.addNodePairing(aPairing(bench, { codeHash: 'c4', tenant: 'acme' }), 2, 'ann')).toBe(true);
    await bench.under.passTime(1_001);
    expect(await store.addNodePairing(aPairing(bench, { codeHash: 'c3' }), 2, 'ann')).toBe(true);
  },

  'changes and revokes the nodes of a tenant, with rows of the audit trail': async (bench) => {
    const { store } = bench;
    await pairOne(bench);
    expect(await store.updateNode('acme', 'kitchen-mac', { name: 'Mine' }, 'eve')).toBeUndefined();
    expect(await store.updateNode('default', 'kitchen-mac', { name: 'Office', allow: ['a'] }, 'ann')).toMatchObject({
      nodeId: 'kitchen-mac',
      name: 'Office',
      allow: ['a'],
    });
    expect((await store.updateNode('default', 'kitchen-mac', { allow: null }, 'ann'))?.allow).toBeUndefined();
    expect(await store.revokeNode('default', 'kitchen-mac', 'ann')).toBe(true);
    expect(await store.revokeNode('default', 'kitchen-mac', 'ann')).toBe(false);
    expect(await store.listNodes('*')).toEqual([]);
    expect(await store.findNode('kitchen-mac')).toMatchObject({ revokedAt: expect.any(Number) });
    const actions = (await store.listAudit({ order: 'oldest', limit: 50 })).map(({ action }) => action);
    expect(actions).toEqual(['node.invite', 'node.pair', 'node.update', 'node.update', 'node.revoke']);
  },

  'gives the node of a token an ID that no other has, up to a number of them': async (bench) => {
    const { store } = bench;
    await pairOne(bench);
    expect(await store.ensureTokenNode('default', 'kitchen-mac', 1)).toBe('taken');
    expect(await store.ensureTokenNode('default', 'lamp-1', 1)).toMatchObject({ nodeId: 'lamp-1' });
    expect(await store.ensureTokenNode('default', 'lamp-1', 1)).toMatchObject({ nodeId: 'lamp-1' });
    expect(await store.ensureTokenNode('default', 'lamp-2', 1)).toBe('full');
    expect(await store.ensureTokenNode('acme', 'lamp-1', 1)).toBe('taken');
    await store.revokeNode('default', 'lamp-1', 'ann');
    expect(await store.ensureTokenNode('default', 'lamp-2', 1)).toMatchObject({ nodeId: 'lamp-2' });
  },

  'takes a nonce once, also after a crash': async (bench) => {
    expect(await bench.store.useNodeNonce('n', 'x', bench.under.now() + 1_000)).toBe(true);
    await bench.under.crash();
    expect(await bench.store.useNodeNonce('n', 'x', bench.under.now() + 1_000)).toBe(false);
    expect(await bench.store.useNodeNonce('m', 'x', bench.under.now() + 1_000)).toBe(true);
  },

  'keeps the form of a command that is in force until an operator allows another': async (bench) => {
    const { store } = bench;
    await pairOne(bench);
    const offer = (definition: string, allowsChanges = false, name = 'lamp') =>
      store.registerNode('kitchen-mac', { commands: [{ name, definition }], allowsChanges, maxKnown: 2 });
    expect(await offer('1')).toEqual([{ name: 'lamp', definition: '1', isOffered: true }]);
    expect(await offer('2')).toEqual([{ name: 'lamp', definition: '1', pending: '2', isOffered: true }]);
    // It cannot go and come back changed.
    await offer('1', false, 'door');
    expect(await offer('2')).toContainEqual({ name: 'lamp', definition: '1', pending: '2', isOffered: true });
    const allow = (tenant: string, pending: string) =>
      store.allowNodeCommand(tenant, 'kitchen-mac', { name: 'lamp', pending }, 'ann');
    expect(await allow('acme', '2')).toBeUndefined();
    expect(await allow('default', '3')).toBeUndefined();
    expect(await allow('default', '2')).toMatchObject({ definition: '2' });
    expect(await allow('default', '2')).toBeUndefined();
    expect(await offer('3', true)).toContainEqual({ name: 'lamp', definition: '3', isOffered: true });
    expect((await offer('1', false, 'third')).map(({ name }) => name)).toEqual(['door', 'lamp']);
  },

  'ends a call once, for its own node, and keeps the result over a crash': async (bench) => {
    const call = { callId: 'c1', nodeId: 'n1', sessionId: 's1', deadline: 7 };
    expect(await bench.store.openNodeCall(call)).toEqual({ ...call, state: 'wanted' });
    expect(await bench.store.markNodeCallSent('c1')).toBe('sent');
    expect(await bench.store.openNodeCall({ ...call, deadline: 9 })).toEqual({ ...call, state: 'sent' });
    expect(await bench.store.endNodeCall('n2', 'c1', '{}')).toBe(false);
    expect(await bench.store.endNodeCall('n1', 'c1', '{"ok":true}')).toBe(true);
    expect(await bench.store.endNodeCall('n1', 'c1', '{"ok":false}')).toBe(false);
    expect(await bench.store.markNodeCallSent('c1')).toBe('ended');
    await bench.under.crash();
    expect(await bench.store.findNodeCall('c1')).toEqual({ ...call, state: 'ended', result: '{"ok":true}' });
    expect(await bench.store.endNodeCall('n1', 'c2', '{}')).toBe(false);
    expect(await bench.store.findNodeCall('c2')).toBeUndefined();
  },

  'takes an event once, lists it until it is handled, and keeps it for a day': async (bench) => {
    const event = {
      nodeId: 'n1',
      tenant: 'default',
      eventId: 'e1',
      event: 'door.opened',
      data: '{}',
      at: bench.under.now(),
    };
    expect(await bench.store.addNodeEvent(event)).toBe(true);
    expect(await bench.store.addNodeEvent(event)).toBe(false);
    expect(await bench.store.addNodeEvent({ ...event, nodeId: 'n2' })).toBe(true);
    await bench.under.crash();
    expect(await bench.store.listUnsettledNodeEvents(9)).toEqual([event, { ...event, nodeId: 'n2' }]);
    await bench.store.settleNodeEvent('n1', 'e1');
    expect(await bench.store.listUnsettledNodeEvents(9)).toEqual([{ ...event, nodeId: 'n2' }]);
    const ofN1 = { tenant: 'default', nodeId: 'n1', since: 0, limit: 9 };
    expect(await bench.store.listNodeEvents(ofN1)).toEqual([event]);
    expect(await bench.store.listNodeEvents({ ...ofN1, tenant: 'acme' })).toEqual([]);
    expect(await bench.store.listNodeEvents({ ...ofN1, event: 'door.closed' })).toEqual([]);
    await bench.under.passTime(DAY_MS + 1);
    while (await bench.store.sweep({ framesBefore: 0, dedupeBefore: 0, sessionsBefore: undefined }));
    expect(await bench.store.listNodeEvents(ofN1)).toEqual([]);
  },
};
