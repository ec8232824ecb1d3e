import type { Message } from '@earendil-works/pi-ai';
import { describe, expect, it } from 'vitest';
import { Prompt, toUser, type Exchange } from './prompt.js';
import { renderOutcome, sayAs, toToolCall } from './replies.js';
import { cutText, estimateMessages, estimateText } from './tokens.js';

const voice = { api: 'openai-completions', provider: 'local', id: 'm' } as const;

function exchange(said: string, replied = ''): Exchange {
  const reply: Message[] = replied === '' ? [] : [sayAs(voice, [{ type: 'text', text: replied }])];
  return { messages: [toUser([{ type: 'text', text: said }]), ...reply], sender: 'ann', said, replied };
}

const asked = [{ type: 'text', text: 'and now?' }] as const;
const converse = (earlier: readonly Exchange[], budget: number) => new Prompt('Be kind.', [], earlier, asked, budget);

/** The whole prompt as one text. */
const read = (prompt: Prompt) => JSON.stringify(prompt.build().messages);

describe('a prompt', () => {
  it('[R-10] is complete while it fits', () => {
    const { messages, systemPrompt } = converse([exchange('one', 'yes'), exchange('two', 'no')], 4_000).build();
    expect(systemPrompt).toBe('Be kind.');
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user']);
    expect(messages.at(-1)?.content).toBe('and now?');
  });

  it('[R-10] that does not fit keeps its newest messages, and a digest of the rest', () => {
    const earlier = Array.from({ length: 40 }, (_, i) =>
      exchange(`question ${i} ${'x'.repeat(300)}`, `answer ${i} ${'y'.repeat(300)}`),
    );
    const prompt = converse(earlier, 4_000);
    const { messages } = prompt.build();
    const text = JSON.stringify(messages);
    expect(estimateMessages(messages)).toBeLessThanOrEqual(4_000);
    expect(text).toContain('answer 39');
    expect(text).not.toContain(`question 0 `);
    expect(messages[0]?.content).toMatch(/^\{"left_out":\d+,/);
    expect(text).toMatch(/your_reply/);
    expect(text).toContain('and now?');
  });

  it('[R-10] is cut the same way each time', () => {
    const earlier = Array.from({ length: 40 }, (_, i) => exchange(`question ${i} ${'x'.repeat(300)}`));
    expect(read(converse(earlier, 3_000))).toBe(read(converse(earlier, 3_000)));
  });

  it('[R-10] truncates long tool results, and empties old ones before it drops messages', () => {
    const prompt = converse([], 3_000);
    for (let i = 0; i < 12; i++) {
      prompt.add(sayAs(voice, [toToolCall(`c${i}`, 'read', { i })]));
      prompt.add(renderOutcome(`c${i}`, 'read', { ok: true, content: `result ${i} ${'z'.repeat(20_000)}` }));
    }
    const { messages } = prompt.build();
    expect(estimateMessages(messages)).toBeLessThanOrEqual(3_000);
    expect(messages.filter(({ role }) => role === 'toolResult')).toHaveLength(12);
    expect(read(prompt)).toContain('result 11');
    expect(read(prompt)).toContain('left out to save room');
    expect(read(prompt)).toContain('and now?');
  });

  it('[R-10] is shortened a few times when its provider finds it too long', () => {
    const prompt = converse(
      Array.from({ length: 60 }, (_, i) => exchange(`question ${i} ${'x'.repeat(300)}`)),
      4_000,
    );
    const lengths = [read(prompt).length];
    while (prompt.shrink()) lengths.push(read(prompt).length);
    expect(lengths).toHaveLength(4);
    expect(lengths.toSorted((a, b) => b - a)).toEqual(lengths);
    expect(new Set(lengths).size).toBe(4);
  });

  it('alternates the roles: consecutive messages of users become one', () => {
    const { messages } = converse([exchange('one'), exchange('two')], 4_000).build();
    expect(messages).toHaveLength(1);
    expect(messages[0]?.content).toBe('one\ntwo\nand now?');
  });
});

describe('the estimate of tokens', () => {
  it('is on the safe side for every script', () => {
    expect(estimateText('a'.repeat(400))).toBeGreaterThan(100);
    expect(estimateText('語'.repeat(100))).toBe(100);
    expect(estimateMessages([toUser([{ type: 'image', data: '', mimeType: 'image/png' }])])).toBeGreaterThan(1_000);
  });

  it('truncates a text without splitting a character', () => {
    expect(cutText('short', 10)).toBe('short');
    expect(cutText('é'.repeat(100), 11)).toMatch(/^é{16}\n\[84 more characters are left out\]$/);
  });
});
