import { afterEach, describe, expect, it } from 'vitest';
import { CoreHarness, type CoreHarnessOptions } from '../../testing/core-harness.js';
import { FakeReader } from '../../testing/fake-reader.js';
import { ToolResult } from '../tools/tool.js';
import { aTool } from '../../testing/scripted-turns.js';

let harness: CoreHarness;
afterEach(() => harness.stop());
const start = async (options: CoreHarnessOptions = {}) => (harness = await new CoreHarness(options).start());

describe('a tool call of a turn', () => {
  it('[A-04] reports its progress and leaves a call block and a result block', async () => {
    await start({ tools: [aTool({})] });
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/tool test.tool {"n": 1}');
    await reader.waitForEnd('a');
    const statuses = reader.frames
      .filter((frame) => frame.type === 'tool_status')
      .map((frame) => frame.payload['status']);
    expect(statuses).toEqual(['requested', 'running', 'succeeded']);
    const [call, result] = reader.blocksOf('a').map((block) => JSON.parse(block.content) as Record<string, unknown>);
    expect(call).toMatchObject({ tool: 'test.tool', parameters: { n: 1 } });
    expect(result).toMatchObject({ call_id: call?.['call_id'], ok: true, content: { n: 1 } });
  });

  it('[A-04] that returns pictures leaves a block of each after its result', async () => {
    const image = { mediaId: 'f_1', mimeType: 'image/png', alt: 'A cat' };
    await start({ tools: [aTool({ handler: () => new ToolResult({ n: 1 }, [image]) })] });
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/tool test.tool {"n": 1}');
    await reader.waitForEnd('a');
    const [, result, shown] = reader.frames
      .filter((frame) => frame.type === 'stream_block')
      .map(({ payload }) => payload);
    expect(JSON.parse(String(result?.['content']))).toMatchObject({ ok: true, content: { n: 1 } });
    expect(shown).toMatchObject({
      block_type: 'image',
      content: '/media/f_1',
      metadata: { mime_type: 'image/png', alt: 'A cat' },
    });
  });

  it.each([
    ['TOOL_NOT_FOUND', 'failed', '/tool Test.Tool {"n": 1}', {}],
    ['TOOL_INVALID_PARAMETERS', 'failed', '/tool test.tool {"n": "1"}', {}],
    ['TOOL_INVALID_PARAMETERS', 'failed', '/tool test.tool {"n": 1, "m": 2}', {}],
    ['TOOL_DENIED', 'denied', '/tool test.tool {"n": 1}', { permissions: ['acme:write'] }],
    ['TOOL_FAILED', 'failed', '/tool test.tool {"n": 1}', { handler: () => Promise.reject(new Error('boom')) }],
    ['TOOL_FAILED', 'failed', '/tool test.tool {"n": 1}', { handler: () => 'x'.repeat(1_000_000) }],
  ])(
    '[A-05] that is refused or fails is reported as %s, and the turn continues',
    async (code, status, text, changes) => {
      await start({ tools: [aTool(changes)] });
      const reader = new FakeReader();
      await harness.say(reader, 'a', text);
      expect((await reader.waitForEnd('a')).payload).toMatchObject({ reason: 'stop' });
      expect(reader.frames.findLast((frame) => frame.type === 'tool_status')?.payload['status']).toBe(status);
      expect(JSON.parse(reader.blocksOf('a')[1]?.content ?? '')).toMatchObject({ ok: false, content: { code } });
    },
  );

  it('[A-05] that ignores its time limit is abandoned as timed out', async () => {
    await start({ tools: [aTool({ handler: () => new Promise(() => {}) })] });
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/tool test.tool {"n": 1}');
    await reader.waitFor((frame) => frame.payload['status'] === 'running');
    await harness.clock.advanceAsync(1_000);
    await reader.waitForEnd('a');
    expect(reader.frames.findLast((frame) => frame.type === 'tool_status')?.payload['status']).toBe('timed_out');
  });

  async function interruptCall(idempotent: boolean): Promise<{ starts: string[]; reader: FakeReader }> {
    const starts: string[] = [];
    let isFirst = true;
    await start({
      tools: [
        aTool({
          idempotent,
          handler: (_parameters, { callId }) => {
            starts.push(callId);
            if (!isFirst) return 'done';
            isFirst = false;
            return new Promise(() => {});
          },
        }),
      ],
    });
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/tool test.tool {"n": 1}');
    await reader.waitFor((frame) => frame.payload['status'] === 'running');
    await harness.claims.drain(0, AbortSignal.abort());
    harness.startTurns();
    await reader.waitForEnd('a');
    return { starts, reader };
  }

  it('[D-07] whose outcome is lost is not started again and ends as unknown', async () => {
    const { starts, reader } = await interruptCall(false);
    expect(starts).toHaveLength(1);
    expect(reader.frames.findLast((frame) => frame.type === 'tool_status')?.payload['status']).toBe('unknown');
    expect(reader.blocksOf('a').map((block) => block.type)).toEqual(['tool_call', 'tool_result']);
  });

  it('[D-07] whose outcome is lost runs again under the same call id if it is idempotent', async () => {
    const { starts, reader } = await interruptCall(true);
    expect(starts).toHaveLength(2);
    expect(new Set(starts).size).toBe(1);
    expect(reader.blocksOf('a').map((block) => block.type)).toEqual(['tool_call', 'tool_result']);
  });
});
