import { describe, expect, it, vi } from 'vitest';
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
  }, 5_000);
});
