import Type from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ToolDefinition } from '../../src/core/tools/tool.js';
import type { CoreHarness } from '../../src/testing/core-harness.js';
import { FakeReader } from '../../src/testing/fake-reader.js';
import { buildModelHarness, SleeplessClock } from '../support/model-harness.js';
import { RecordingLogs } from '../support/recording-logs.js';
import { WIRES, type Wire } from '../support/model-server.js';
import { events, WireServer, type WireResponse } from '../support/wire-server.js';

let server: WireServer;
let harness: CoreHarness | undefined;
let clock: SleeplessClock;

beforeEach(async () => {
  server = await WireServer.start();
});
afterEach(async () => {
  await harness?.stop();
  server.stop();
});

/** The arguments of the tool's calls. */
let calls: unknown[];
const look: ToolDefinition = {
  name: 'look',
  description: 'Looks.',
  parameters: Type.Object({ at: Type.Optional(Type.String()) }, { additionalProperties: false }),
  permissions: [],
  timeoutMs: 1_000,
  idempotent: false,
  requiresApproval: false,
  sandbox: false,
  handler: (parameters) => {
    calls.push(parameters);
    return 'seen';
  },
};

type Options = NonNullable<Parameters<typeof buildModelHarness>[2]>;

/** Asks over `wire` what is answered with `responses`; returns the reader of the reply. */
async function ask(wire: Wire, responses: readonly (string | WireResponse)[], options: Options = {}) {
  calls = [];
  clock = new SleeplessClock();
  server.answer(...responses);
  harness = buildModelHarness(server, wire, { clock, tools: [look], ...options });
  await harness.start();
  const ann = new FakeReader(true);
  await harness.say(ann, 'a', 'hello');
  const { payload } = await ann.waitForEnd('a');
  return { ann, payload: payload as { readonly reason: string }, shown: shownBy(ann, 'a') };
}

/** The text that people see at the end. */
function shownBy(ann: FakeReader, id: string): string {
  return ann
    .blocksOf(id)
    .filter(({ type }) => type !== 'tool_call' && type !== 'tool_result')
    .map(({ content }) => content)
    .join('\n\n');
}

describe('a provider of chat completions', () => {
  const wire = 'openai-completions';
  const chunk = (delta: object, finish_reason: unknown = null) => ({ choices: [{ index: 0, delta, finish_reason }] });
  const text = chunk({ content: 'Well said.' });
  const called = (...tool_calls: readonly object[]) => chunk({ tool_calls });
  const one = (fields: object, args: unknown, name: string | null = 'look') => ({
    ...fields,
    function: { ...(name === null ? {} : { name }), arguments: args },
  });
  const done = events(text, chunk({}, 'stop'), '[DONE]');

  it.each([
    [
      'one index for all',
      [called(one({ index: 0, id: 'a' }, '{"at":"1"}')), called(one({ index: 0, id: 'b' }, '{"at":"2"}'))],
    ],
    [
      'one index for all, in one chunk',
      [called(one({ index: 0, id: 'a' }, '{"at":"1"}'), one({ index: 0, id: 'b' }, '{"at":"2"}'))],
    ],
    [
      'one id for all',
      [called(one({ index: 0, id: 'x' }, '{"at":"1"}')), called(one({ index: 1, id: 'x' }, '{"at":"2"}'))],
    ],
    [
      'no index, and arguments that continue without an id',
      [
        called(one({ id: 'a' }, '{"at":')),
        called(one({}, '"1"}', null)),
        called(one({ id: 'b' }, '')),
        called(one({}, '{"at":"2"}', null)),
      ],
    ],
    ['neither index nor id', [called(one({}, '{"at":"1"}'), one({}, '{"at":"2"}'))]],
    ['empty ids', [called(one({ index: 0, id: '' }, '{"at":"1"}')), called(one({ index: 1, id: '' }, '{"at":"2"}'))]],
    [
      'a new id in each chunk',
      [
        called(one({ index: 0, id: 'a' }, '')),
        called(one({ index: 0, id: 'b' }, '{"at":"1"}', null)),
        called(one({ index: 1, id: 'c' }, '')),
        called(one({ index: 1, id: 'd' }, '{"at":"2"}', null)),
      ],
    ],
    [
      'the name again in each chunk',
      [
        called(one({ index: 0, id: 'a' }, '{"at"')),
        called(one({ index: 0, id: 'a' }, ':"1"}')),
        called(one({ index: 1, id: 'b' }, '{"at":"2"}')),
        called(one({ index: 1, id: 'b' }, '{"at":"2"}')),
      ],
    ],
    [
      'arguments as objects',
      [called(one({ index: 0, id: 'a' }, { at: '1' }), one({ index: 1, id: 'b' }, { at: '2' }))],
    ],
    [
      'arguments as JSON in JSON',
      [called(one({ index: 0, id: 'a' }, '"{\\"at\\":\\"1\\"}"'), one({ index: 1, id: 'b' }, '{"at":"2"}'))],
    ],
  ])('that sends tool calls with %s has each called once, and gets each result under its own id', async (_, chunks) => {
    const { payload, shown } = await ask(wire, [events(...chunks, chunk({}, 'tool_calls'), '[DONE]'), done]);
    expect([payload.reason, shown]).toEqual(['stop', 'Well said.']);
    expect(calls).toEqual([{ at: '1' }, { at: '2' }]);
    const messages = server.asked[1]?.['messages'] as {
      role: string;
      tool_call_id?: string;
      tool_calls?: { id: string }[];
    }[];
    const asked = messages.flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }) => id));
    expect(new Set(asked).size).toBe(2);
    expect(asked).not.toContain('');
    expect(messages.flatMap(({ tool_call_id }) => tool_call_id ?? [])).toEqual(asked);
  });

  it.each(['null', '', '{}', null, {}])('that sends %j as arguments calls without parameters', async (args) => {
    await ask(wire, [events(called(one({ index: 0, id: 'a' }, args)), chunk({}, 'tool_calls'), '[DONE]'), done]);
    expect(calls).toEqual([{}]);
  });

  it('that calls the old way, by function_call, is understood', async () => {
    const old = chunk({ function_call: { name: 'look', arguments: '{"at":"1"}' } });
    await ask(wire, [events(old, chunk({}, 'function_call'), '[DONE]'), done]);
    expect(calls).toEqual([{ at: '1' }]);
  });

  it.each([
    ['without a reason', events(text, '[DONE]')],
    ...['eos', 'end_turn', 'stop_sequence', 'STOP', 'COMPLETE', 'tool_call', 'end'].map((reason) => [
      `with the reason ${reason}`,
      events(text, chunk({}, reason), '[DONE]'),
    ]),
    ['without a line break at its end', `${events(text)}data: ${JSON.stringify(chunk({}, 'stop'))}`],
    ['after a ping', events(text, 'ping', chunk({}, 'stop'), '[DONE]')],
    ['with text after the end', events(text, chunk({}, 'stop'), '[DONE]', chunk({ content: ' More.' }))],
    ['as a second choice', events(text, { choices: [{ index: 1, delta: { content: 'Other.' } }] }, chunk({}, 'stop'))],
  ])('that ends an answer %s has given it', async (_, body) => {
    const { payload, shown } = await ask(wire, [body]);
    expect([payload.reason, shown, server.asked.length]).toEqual(['stop', 'Well said.', 1]);
  });

  it.each(['max_tokens', 'MAX_TOKENS', 'model_length'])('that ends an answer with %s has cut it', async (reason) => {
    const { shown } = await ask(wire, [events(text, chunk({}, reason), '[DONE]')]);
    expect(shown).toContain('Well said.\n\nThe answer ends here');
  });

  it('that ends an answer as refused has declined', async () => {
    const { shown } = await ask(wire, [events(text, chunk({}, 'SAFETY'), '[DONE]')]);
    expect(shown).toContain('the model declined to answer');
  });

  it.each([
    ['cut off', events(text)],
    ['of nothing', events('[DONE]')],
    ['that failed', events(text, chunk({}, 'error'), '[DONE]')],
  ])('that sends an answer %s is asked again', async (_, body) => {
    const { shown } = await ask(wire, [body, done]);
    expect([shown, server.asked.length]).toEqual(['Well said.', 2]);
  });

  it.each([
    [
      [
        { type: 'text', text: 'Well ' },
        { type: 'text', text: 'said.' },
      ],
    ],
    [
      [
        { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
        { type: 'text', text: 'Well said.' },
      ],
    ],
    [['Well said.']],
    [{ type: 'text', text: 'Well said.' }],
  ])('that sends content as parts has said their text: %j', async (content) => {
    const { payload, shown } = await ask(wire, [events(chunk({ content }, 'stop'), '[DONE]')]);
    expect([payload.reason, shown]).toEqual(['stop', 'Well said.']);
  });

  it.each([3, true, { a: 1 }, [null, 7]])(
    'that sends %j as content does not end the turn as INTERNAL',
    async (content) => {
      const { payload, shown } = await ask(wire, [events(chunk({ content }), text, chunk({}, 'stop'), '[DONE]')]);
      expect([payload.reason, shown]).toEqual(['stop', 'Well said.']);
    },
  );

  it('that does not stream has given its answer', async () => {
    const body = JSON.stringify({ choices: [{ index: 0, message: { content: 'Well said.' }, finish_reason: 'stop' }] });
    const { shown } = await ask(wire, [{ headers: { 'content-type': 'application/json' }, body }]);
    expect(shown).toBe('Well said.');
  });

  it.each([
    ['', '<think>Let me see.</think>Well said.'],
    [', of which it shows the end only', 'Let me see.\n\nIt is late.\n</think>\n\nWell said.'],
  ])('that writes thoughts into its text%s shows none and is not reminded of them', async (_, content) => {
    const call = called(one({ index: 0, id: 'a' }, '{}'));
    const { ann, shown } = await ask(wire, [
      events(...Array.from(content, (letter) => chunk({ content: letter })), call, chunk({}, 'tool_calls'), '[DONE]'),
      events(chunk({ content: 'Done.' }, 'stop')),
    ]);
    expect(shown).toBe('Well said.\n\nDone.');
    expect(JSON.stringify(ann.blocksOf('a'))).not.toContain('Let me see');
    expect(JSON.stringify(server.asked[1])).not.toContain('Let me see');
  });

  it('that sends half a character and NUL has sent text that every reader can take', async () => {
    const { ann } = await ask(wire, [
      `${events(text).replace('said.', 'said\\ud83d \\u0000.')}${events(chunk({ content: '\ud83d' }), chunk({ content: '\ude00' }, 'stop'))}`,
    ]);
    const frames = JSON.stringify(ann.frames);
    expect(frames).not.toMatch(/\\ud|\\u0000/);
    expect(ann.blocksOf('a')[0]?.content).toBe('Well said\ufffd \ufffd.\ud83d\ude00');
  });
});

describe('a provider of the messages wire', () => {
  const wire = 'anthropic-messages';
  const start = {
    type: 'message_start',
    message: { id: 'm', role: 'assistant', content: [], usage: { input_tokens: 3 } },
  };
  const begin = (content_block: object, index = 0) => ({ type: 'content_block_start', index, content_block });
  const delta = (fields: object, index = 0) => ({ type: 'content_block_delta', index, delta: fields });
  const stop = (index = 0) => ({ type: 'content_block_stop', index });
  const end = (stop_reason: unknown) => ({
    type: 'message_delta',
    delta: { stop_reason },
    usage: { output_tokens: 2 },
  });
  const over = { type: 'message_stop' };
  const named = (...all: readonly { readonly type: string }[]) =>
    all.map((event) => `event: ${event.type}\n${events(event)}`).join('');
  const text = [begin({ type: 'text', text: '' }), delta({ type: 'text_delta', text: 'Well said.' }), stop()];
  const done = named(start, ...text, end('end_turn'), over);

  it.each([
    [
      'with its beginning in the start of the block',
      named(
        start,
        begin({ type: 'text', text: 'Well' }),
        delta({ type: 'text_delta', text: ' said.' }),
        stop(),
        end('end_turn'),
        over,
      ),
    ],
    [
      'wholly in the start of the block',
      named(start, begin({ type: 'text', text: 'Well said.' }), stop(), end('end_turn'), over),
    ],
    ['without usage', named({ type: 'message_start', message: { id: 'm' } } as never, ...text, end('end_turn'), over)],
    ['without a start', named(...text, end('end_turn'), over)],
    ['without names of events', events(start, ...text, end('end_turn'), over)],
    [
      'without types of events',
      events(start, ...text, end('end_turn'), over).replaceAll(/data: \{"type":"(\w+)",/g, 'event: $1\ndata: {'),
    ],
    ['without the ends of blocks', named(start, ...text.slice(0, 2), end('end_turn'), over)],
    ['without the starts of blocks', named(start, ...text.slice(1), end('end_turn'), over)],
    ['without message_stop', named(start, ...text, end('end_turn'))],
    ['without a reason', named(start, ...text, over)],
    ['with no reason and no stop', named(start, ...text)],
    ['with null as its reason', named(start, ...text, end(null), over)],
    ['with a reason of its own', named(start, ...text, end('eos'), over)],
    ['with the reason of another wire', named(start, ...text, end('stop'), over)],
    [
      'with pings and a comment',
      `: hello\n\n${named(start, ...text)}event: ping\ndata: ping\n\n${named(end('end_turn'), over)}`,
    ],
  ])('that sends an answer %s has given it', async (_, body) => {
    const { payload, shown } = await ask(wire, [body]);
    expect([payload.reason, shown, server.asked.length]).toEqual(['stop', 'Well said.', 1]);
  });

  it('that does not stream has given its answer', async () => {
    const body = JSON.stringify({
      type: 'message',
      content: [{ type: 'text', text: 'Well said.' }],
      stop_reason: 'end_turn',
    });
    const { shown } = await ask(wire, [{ headers: { 'content-type': 'application/json' }, body }]);
    expect(shown).toBe('Well said.');
  });

  it('that stops because its window is full has given its answer so far', async () => {
    const { shown } = await ask(wire, [named(start, ...text, end('model_context_window_exceeded'), over)]);
    expect(shown).toContain('Well said.\n\nThe answer ends here');
    expect(server.asked).toHaveLength(1);
  });

  it.each([
    ['in the start of the block', [begin({ type: 'tool_use', id: 't', name: 'look', input: { at: '1' } }), stop()]],
    [
      'as an object',
      [
        begin({ type: 'tool_use', id: 't', name: 'look' }),
        delta({ type: 'input_json_delta', partial_json: { at: '1' } }),
        stop(),
      ],
    ],
    [
      'in the start and again in deltas',
      [
        begin({ type: 'tool_use', id: 't', name: 'look', input: { at: '1' } }),
        delta({ type: 'input_json_delta', partial_json: '{"at":"1"}' }),
        stop(),
      ],
    ],
    ['in a block without an end', [begin({ type: 'tool_use', id: 't', name: 'look', input: { at: '1' } })]],
  ])('that sends the input of a tool %s has called it with that', async (_, blocks) => {
    await ask(wire, [named(start, ...blocks, end('tool_use'), over), done]);
    expect(calls).toEqual([{ at: '1' }]);
  });

  it('whose answer is cut within a block is asked again', async () => {
    const { shown } = await ask(wire, [named(start, ...text.slice(0, 2)), done]);
    expect([shown, server.asked.length]).toEqual(['Well said.', 2]);
  });
});

describe('a provider of the responses wire', () => {
  const wire = 'openai-responses';
  const message = {
    type: 'message',
    id: 'm',
    role: 'assistant',
    content: [{ type: 'output_text', text: 'Well said.' }],
  };
  const call = { type: 'function_call', id: 'f', call_id: 'c', name: 'look', arguments: '{"at":"1"}' };
  const itemDone = (item: object) => ({ type: 'response.output_item.done', output_index: 0, item });
  const added = (item: object) => ({ type: 'response.output_item.added', output_index: 0, item });
  const delta = { type: 'response.output_text.delta', output_index: 0, item_id: 'm', delta: 'Well said.' };
  const completed = (output: readonly object[] = [], status: unknown = 'completed') => ({
    type: 'response.completed',
    response: { id: 'r', status, output },
  });
  const done = events(itemDone(message), completed());

  it.each([
    ['in the complete item only', events(itemDone(message), completed())],
    ['in the complete response only', events(completed([message]))],
    ['in deltas only', events(added(message), delta, itemDone({ ...message, content: [] }), completed())],
    ['in deltas of no item', events(delta, completed())],
    ['in all places', events(added(message), delta, itemDone(message), completed([message]))],
    ['without an end', events(added(message), delta, itemDone(message), '[DONE]')],
    ['with a status of its own', events(itemDone(message), completed([], 'finished'))],
    ['with no status', events(itemDone(message), completed([], undefined))],
    [
      'without indices',
      events(added(message), delta, itemDone(message), completed()).replaceAll('"output_index":0,', ''),
    ],
  ])('that sends an answer %s has given it', async (_, body) => {
    const { payload, shown } = await ask(wire, [body]);
    expect([payload.reason, shown, server.asked.length]).toEqual(['stop', 'Well said.', 1]);
  });

  it('that does not stream has given its answer', async () => {
    const body = JSON.stringify({ object: 'response', status: 'completed', error: null, output: [message] });
    const { shown } = await ask(wire, [{ headers: { 'content-type': 'application/json' }, body }]);
    expect(shown).toBe('Well said.');
  });

  it.each([
    ['in the complete item only', events(itemDone(call), completed())],
    ['as an object', events(itemDone({ ...call, arguments: { at: '1' } }), completed())],
    ['in the complete response only', events(completed([call]))],
  ])('that sends the arguments of a call %s has called the tool with them', async (_, body) => {
    await ask(wire, [body, done]);
    expect(calls).toEqual([{ at: '1' }]);
  });
});

describe('a provider that is not known by its host', () => {
  const chat = events({ choices: [{ delta: { content: 'Well said.' }, finish_reason: 'stop' }] }, '[DONE]');
  const done = { type: 'response.completed', response: { status: 'completed' } };

  it('gets the plain fields of chat completions only', async () => {
    await ask('openai-completions', [chat], { provider: { thinking: 'low' } });
    const [body = {}] = server.asked;
    expect(Object.keys(body).toSorted()).toEqual([
      'max_tokens',
      'messages',
      'model',
      'reasoning_effort',
      'stream',
      'stream_options',
      'tools',
    ]);
    expect((body['messages'] as { role: string }[])[0]?.role).toBe('system');
  });

  it('gets other fields where the settings say so', async () => {
    const provider = {
      thinking: 'low',
      max_tokens_field: 'max_completion_tokens',
      system_role: 'developer',
      sends_store: true,
    } as const;
    await ask('openai-completions', [chat], { provider });
    const [body = {}] = server.asked;
    expect(body).toMatchObject({ store: false, messages: [{ role: 'developer' }, {}] });
    expect([body['max_completion_tokens'], body['max_tokens']]).toEqual([8_192, undefined]);
  });

  it.each([
    [{}, undefined, 'system'],
    [{ sends_store: true, system_role: 'developer' } as const, false, 'developer'],
  ])('gets the fields of the responses wire accordingly: %j', async (changes, store, role) => {
    await ask('openai-responses', [events(done)], { provider: { thinking: 'low', ...changes } });
    const [body = {}] = server.asked;
    expect([body['store'], (body['input'] as { role: string }[])[0]?.role]).toEqual([store, role]);
  });
});

describe('a model that calls a tool in vain', () => {
  const call = events(
    { choices: [{ delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'look', arguments: '{"at":' } }] } }] },
    { choices: [{ delta: {}, finish_reason: 'length' }] },
    '[DONE]',
  );

  it('is stopped when the call has failed five times in the same way', async () => {
    const { payload, shown } = await ask('openai-completions', [call]);
    expect(payload.reason).toBe('error');
    expect(shown).toContain('the model repeated a tool call that failed 5 times in the same way');
    expect([server.asked.length, calls]).toEqual([5, []]);
  });

  it('goes on when a call in between passes', async () => {
    const good = call.replace('{\\"at\\":', '{}').replace('length', 'tool_calls');
    const done = events({ choices: [{ delta: { content: 'Well said.' }, finish_reason: 'stop' }] });
    const { shown } = await ask('openai-completions', [...Array(4).fill(call), good, ...Array(4).fill(call), done]);
    expect(shown).toBe('Well said.');
  });
});

describe('an address that answers with a web page', () => {
  it.each(WIRES)('[R-13] is said to be none of an API, and is asked once (%s)', async (wire) => {
    const page = '<!doctype html><title>Sign in</title>';
    const logs = new RecordingLogs();
    const { ann } = await ask(wire, [{ headers: { 'content-type': 'text/html; charset=utf-8' }, body: page }], {
      logs,
    });
    expect(shownBy(ann, 'a')).toContain('answers with a web page instead of its API');
    expect(server.asked).toHaveLength(1);
    expect(JSON.stringify(logs.entries)).toContain('text/html; charset=utf-8: <!doctype html>');
  });
});

describe('a provider that refuses a question', () => {
  const wire = 'openai-completions';
  const refuse = (status: number, message: string, headers: Readonly<Record<string, string>> = {}): WireResponse => ({
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ error: { message } }),
  });
  const done = events({ choices: [{ delta: { content: 'Well said.' }, finish_reason: 'stop' }] }, '[DONE]');

  it.each([
    'Too many tokens, please wait before trying again.',
    'Request exceeds the limit of 10 per minute',
    'Daily token limit exceeded',
  ])('because of too many requests is asked the same again when it says: %s', async (message) => {
    const { shown } = await ask(wire, [refuse(429, message, { 'retry-after': '3' }), done]);
    expect(shown).toBe('Well said.');
    expect(clock.slept).toEqual([3_000]);
    expect(server.asked[1]).toEqual(server.asked[0]);
  });

  it.each([
    [400, 'code 1210: tokens in request more than max tokens allowed'],
    [400, 'Prompt length 5000 is greater than max_seq_len 4096'],
    [422, 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 and 20'],
    [413, 'Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 7000'],
    [400, 'Context size has been exceeded.'],
  ])('as too long, with status %i, is asked a shorter one: %s', async (status, message) => {
    const { shown } = await ask(wire, [refuse(status, message), done]);
    expect(shown).toBe('Well said.');
    expect(clock.slept).toEqual([]);
  });

  it('has its key and its headers hidden in the log', async () => {
    const logs = new RecordingLogs();
    const secrets = { api_key: 'sk-0123456789', headers: { 'x-gate': 'Gate passphrase-1' } };
    const message = 'no entry for sk-0123456789 with Gate passphrase-1 (passphrase-1)';
    await ask(wire, [refuse(403, message)], { provider: secrets, logs });
    expect(JSON.stringify(logs.entries)).toContain('no entry for *** with *** (***)');
    expect(JSON.stringify(logs.entries)).not.toMatch(/0123456789|passphrase/);
  });

  it('[X-13] is logged as one short line without pieces of the key', async () => {
    const logs = new RecordingLogs();
    const key = 'sk-proj-4fG9hJ2kL7mN1pQ8rS3t';
    const message = `Incorrect key ${key.slice(0, 14)}...${key.slice(-8)}\n\u001b[2Jforged line\n${'x'.repeat(20_000)}`;
    await ask(wire, [refuse(401, message)], { provider: { api_key: key }, logs });
    const details = logs.entries.flatMap(({ fields }) => (fields as { detail?: string }).detail ?? []);
    expect(details).toHaveLength(1);
    expect(details[0]).toMatch(/Incorrect key \*\*\*\.\.\.\*\*\*/);
    expect(details[0]?.length).toBeLessThanOrEqual(500);
    expect(JSON.stringify(logs.entries)).not.toMatch(/4fG9hJ|mN1pQ8rS3t/);
    expect(details[0]).not.toMatch(/\p{Cc}/u);
  });
});
