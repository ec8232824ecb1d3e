import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useChat } from '../support/chat-page.js';
import { expectTime } from '../support/expect-time.js';

const suite = useChat({ settings: { 'limits.messages_per_minute': 100_000 } });
const EXCHANGES = process.env['LONG'] ? 800 : 200;
const TEXT = [
  'A paragraph with `code` and **bold**.',
  '| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |',
  '```ts\nconst answer = 42;\n```',
].join('\n\n');

const TYPED = 'a text of some letters';

const MAX_OPEN_MS = 1_000;
const MAX_KEY_MS = 50;

/** Counts what reads or searches the thread, and notes the time from each key to the next frame. */
const WATCH_KEYS = `{
  globalThis.reads = [];
  globalThis.keyTimes = [];
  const thread = document.querySelector('.thread');
  for (const name of ['querySelector', 'querySelectorAll', 'getBoundingClientRect', 'scrollIntoView']) {
    const original = Element.prototype[name];
    Element.prototype[name] = function (...all) {
      if (this.contains(thread) || thread.contains(this)) reads.push(name);
      return original.apply(this, all);
    };
  }
  document.addEventListener('keydown', ({ timeStamp }) => {
    requestAnimationFrame(() => setTimeout(() => keyTimes.push(performance.now() - timeStamp)));
  }, true);
}`;

describe(`a conversation of ${EXCHANGES} exchanges with code and tables`, () => {
  it('[W-67] opens within a second, is read to its beginning, and no key in the composer reads the thread', async () => {
    const client = await suite.gateway.connect('filler');
    const ids = Array.from({ length: EXCHANGES }, (_, i) => `m${i}`);
    let sessionId: string | undefined;
    for (let from = 0; from < EXCHANGES; from += 50) {
      const sent = ids.slice(from, from + 50);
      for (const id of sent)
        client.send('message_in', { channel: 'webchat', sender: 'web-long', content: `${TEXT}\n\n${id}` }, { id });
      for (const id of sent) {
        const end = await client.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);
        sessionId = end.session_id;
      }
    }
    const context = await suite.browser.newContext();
    const known = JSON.stringify([{ sender: 'web-long', sessionId }]);
    await context.addInitScript(
      (list) => localStorage.setItem('openclaw.webchat.default/local.conversations', list),
      known,
    );
    const chat = await suite.openIn(context);
    await chat.said.last().waitFor();
    const begun = performance.now();
    await chat.page.reload();
    await chat.said.last().waitFor();
    const openMs = performance.now() - begun;
    for (let shown = await chat.said.count(); shown < EXCHANGES; shown = await chat.said.count()) {
      await chat.page.getByRole('log').evaluate((thread) => (thread.scrollTop = 0));
      await chat.said.nth(shown).waitFor({ state: 'attached' });
    }
    expectTime(openMs, MAX_OPEN_MS);
    expect(await chat.said.count()).toBe(EXCHANGES);
    await chat.page.getByRole('log').evaluate((thread) => (thread.scrollTop = thread.scrollHeight));
    await chat.input.focus();
    await chat.page.evaluate(WATCH_KEYS);
    await chat.input.pressSequentially(TYPED, { delay: 50 });
    await eventually(async () => expect(await chat.page.evaluate('keyTimes.length')).toBe(TYPED.length));
    // What the scrolling before has left to do may come late on a busy machine; each key would add a read.
    expect(await chat.page.evaluate<string[]>('reads')).toSatisfy(({ length }) => length < TYPED.length / 4);
    const times = await chat.page.evaluate<number[]>('keyTimes');
    times.sort((a, b) => a - b);
    expectTime(times[Math.floor(times.length / 2)] ?? NaN, MAX_KEY_MS);
  });
});
