import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ChatCorrector } from './chat-corrector.js';
import { MessagesCorrector } from './messages-corrector.js';
import { ResponsesCorrector } from './responses-corrector.js';
import { correctEvents, type EventCorrector } from './sse.js';

const SSE = 'text/event-stream';

function correct(body: Readable, corrector: EventCorrector = new ChatCorrector(), type = SSE): Promise<string> {
  return new Response(correctEvents(body, type, corrector, () => {})).text();
}

const from = (...chunks: readonly string[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

describe('the events of a response', () => {
  it.each([
    [
      'chat completions',
      new ChatCorrector(),
      '{"id": "a", "choices":[{"index":0,"delta":{"role":null,"content":"é"}}]}',
    ],
    [
      'responses',
      new ResponsesCorrector(),
      '{"type":"response.output_text.delta","output_index":0, "delta":"é","n":1}',
    ],
    [
      'messages',
      new MessagesCorrector(),
      '{"type":"content_block_delta","index":0, "delta":{"type":"text_delta","text":"é"}}',
    ],
  ])('stay as they came if they need no correction: text of %s', async (_, corrector, event) => {
    const [first, second] = (await correct(from(`data: ${event}\n\n`, `data:${event}\r\n\r\n`), corrector))
      .split('\n')
      .filter((line) => line.startsWith('data: ') && line.includes('é'))
      .slice(-2);
    expect(second).toBe(`data: ${event}`);
    expect(JSON.parse(first?.slice('data: '.length) ?? '')).toMatchObject(JSON.parse(event) as object);
  });

  it('are whole however the body is cut', async () => {
    const bytes = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"é🦞"}}]}\n\ndata: [DONE]');
    const cut = Readable.from(Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)));
    expect(await correct(cut)).toContain('{"content":"é🦞"}');
  });

  it('end with the error of a body that breaks', async () => {
    const body = new Readable({ read() {} });
    const text = correct(body);
    body.push('data: {"choices":[]}\n\n');
    body.destroy(new Error('broken'));
    await expect(text).rejects.toThrow('broken');
  });

  it('end with an error when one of them is too long, and the body is given up', async () => {
    const body = Readable.from(Array.from({ length: 32 }, () => Buffer.alloc(1_048_576, 'x')));
    await expect(correct(body)).rejects.toThrow('too long');
    expect(body.destroyed).toBe(true);
  });

  it('are read no faster than they are taken, and no more once they are given up', async () => {
    let read = 0;
    const large = `: ${'x'.repeat(100_000)}\ndata: {"choices":[]}\n\n`;
    const body = new Readable({ read: () => void (read++ < 1_000 && body.push(large)) });
    const reader = correctEvents(body, SSE, new ChatCorrector(), () => {}).getReader();
    await reader.read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(read).toBeLessThan(100);
    await reader.cancel();
    expect(body.destroyed).toBe(true);
  });

  it('of a server that does not stream are one object', async () => {
    const whole = { choices: [{ index: 0, message: { content: 'all' }, finish_reason: 'stop' }] };
    expect(await correct(from(JSON.stringify(whole)), new ChatCorrector(), 'application/json')).toContain(
      '"content":"all"',
    );
  });
});
