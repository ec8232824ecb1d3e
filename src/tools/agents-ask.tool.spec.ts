import { describe, expect, it, vi } from 'vitest';
import type { AgentDefinition } from '../core/agents/agent-definition.js';
import { AgentsAskTool } from './agents-ask.tool.js';

/** The tool with agents that answer once {@link answer} is called. */
function setUp() {
  const pending: (() => void)[] = [];
  const ask = () =>
    new Promise((resolve) => {
      pending.push(() => resolve({ reason: 'stop', blocks: [{ block_type: 'text', content: 'yes' }] }));
    });
  const tool = new AgentsAskTool(
    { find: (id: string) => ({ id, name: id, tenant: 'default' }) } as never,
    { ask, sessionOf: () => ({ id: 's_pair' }) } as never,
    { listHeld: () => [] } as never,
  );
  const askIn = (messageRef: string) =>
    tool.execute({ agent: 'ops', message: 'well?' }, {
      callId: 'c_1',
      session: { tenant: 'default' },
      agent: { id: 'main' },
      turn: { chain: [], messageRef },
      signal: new AbortController().signal,
      reportProgress: vi.fn<() => void>(),
    } as never);
  return { askIn, answer: () => pending.shift()?.() };
}

describe('questions of one turn', () => {
  it('[Z-18] are at most four at the same time; another turn has its own four', async () => {
    const { askIn, answer } = setUp();
    const asked = Array.from({ length: 4 }, () => askIn('m_1'));
    await expect(askIn('m_1')).rejects.toThrow('at most 4 questions');
    const other = askIn('m_2');
    answer();
    expect(await asked[0]).toEqual({ agent: 'ops', answer: 'yes' });
    const fifth = askIn('m_1');
    await expect(askIn('m_1')).rejects.toThrow('at most 4 questions');
    for (let i = 0; i < 5; i++) answer();
    expect(await Promise.all([...asked, other, fifth])).toHaveLength(6);
  });
});

describe('the agents that a turn can ask', () => {
  const anAgent = (id: string, changes: Partial<AgentDefinition> = {}) => ({
    id,
    name: id,
    tenant: 'default',
    ...changes,
  });
  const known = [
    anAgent('main'),
    anAgent('ops', { name: 'olga', description: 'Runs machines\nat night.' }),
    anAgent('cid', { description: 'x'.repeat(1_024) }),
    anAgent('theirs', { tenant: 'acme', description: 'CANARY' }),
  ];
  const readerOf = (chain: readonly string[] = [], id = 'main') =>
    ({ session: { tenant: 'default' }, caller: {}, agent: { id }, chain }) as never;
  const makeTool = (agents: readonly object[], held: readonly string[]) =>
    new AgentsAskTool(
      { list: () => agents, find: () => undefined } as never,
      {} as never,
      { listHeld: () => held } as never,
    );

  it('[Z-18] are listed for the model: of its tenant, permitted, not waiting themselves', () => {
    const lines = ['- ops (olga): Runs machines at night.', `- cid: ${'x'.repeat(200)}…`];
    const head = 'Agents that can be asked with agents_ask, by ID:';
    const all = makeTool(known, ['agents']);
    expect(all.guide(readerOf(), 'agents_ask')).toBe([head, ...lines].join('\n'));
    expect(makeTool(known, ['agents:ops']).guide(readerOf(), 'agents_ask')).toBe([head, lines[0]].join('\n'));
    expect(all.guide(readerOf(['main'], 'ops'), 'agents_ask')).toBe([head, lines[1]].join('\n'));
    expect(all.guide(readerOf(['main', 'cid'], 'ops'), 'agents_ask')).toBe(
      'No agent can be asked with agents_ask now.',
    );
  });

  it('[Z-18] are bounded, and the failure of a question lists those that are meant', async () => {
    const many = Array.from({ length: 3_000 }, (_, n) => anAgent(`agent-${n}`, { description: 'd'.repeat(1_024) }));
    const tool = makeTool(many, ['agents']);
    const guide = tool.guide(readerOf(), 'agents_ask');
    expect(guide.length).toBeLessThan(8_300);
    expect(guide).toMatch(/\n- and 29\d\d more; a question to a part of an ID fails with the IDs that contain it$/);
    const asked = tool.execute({ agent: '299', message: 'well?' }, {
      ...(readerOf() as object),
      turn: { chain: [], messageRef: 'm_1' },
    } as never);
    await expect(asked).rejects.toThrow(
      /^there is no agent 299; there are agent-299, agent-1299, agent-2299, agent-2990, .*agent-2999, agent-0, .* and 2980 more$/,
    );
  });
});
