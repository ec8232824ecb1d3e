import { describe, expect, it } from 'vitest';
import type { HistoryMessage } from '../../client/index.js';
import { Conversation } from './conversation.js';
import { HistorySearch, MAX_HITS } from './history-search.js';
import { patternOf } from './search-words.js';

const message = (ref: string, content: string, reply = '') =>
  ({
    message_ref: ref,
    content,
    sent_at: 1,
    blocks: [
      { block_id: 'b', block_type: 'markdown', content: reply },
      { block_id: 't', block_type: 'tool_result', content: 'a secret result' },
    ],
  }) as unknown as HistoryMessage;

/** A gateway with pages of history by session and cursor; a missing page fails. */
const gatewayOf = (
  pages: Readonly<Record<string, readonly HistoryMessage[]>>,
  cursors: Readonly<Record<string, string>> = {},
) => ({
  peekHistory: (sessionId: string, { before }: { before?: string }) => {
    const key = before ?? sessionId;
    const messages = pages[key];
    if (!messages) return Promise.reject(new Error('no answer'));
    const next = cursors[key];
    return Promise.resolve({ messages: [...messages], head_seq: 1, ...(next !== undefined && { next_before: next }) });
  },
});
const search = async (words: string, gateway: ReturnType<typeof gatewayOf>, sessions = ['s1']) => {
  const conversations = sessions.map((id) => new Conversation(id, id, id));
  const found = new HistorySearch(words, conversations, () => {});
  await found.run(gateway);
  return found;
};

describe('a search of the history', () => {
  it('reads page by page to the beginning, and finds words of any case in messages and replies, newest first', async () => {
    const gateway = gatewayOf(
      {
        s1: [message('m2', 'Nothing'), message('m3', 'a week in LISBON, in spring')],
        p1: [message('m1', '', 'Lisbon  is far')],
      },
      { s1: 'p1' },
    );
    const { hits, searched, isRunning } = await search('lisbon', gateway);
    expect(hits.map(({ messageRef, snippet, from, to }) => [messageRef, snippet.slice(from, to)])).toEqual([
      ['m3', 'LISBON'],
      ['m1', 'Lisbon'],
    ]);
    expect([searched, isRunning]).toEqual([1, false]);
    expect((await search('secret', gateway)).hits).toEqual([]);
  });

  it('takes words as they are, with any white space between them', () => {
    expect(patternOf('a.b  (c').test('x a.b\n(C')).toBe(true);
    expect(patternOf('a.b').test('axb')).toBe(false);
  });

  it('cuts a snippet out of a long text', async () => {
    const { hits } = await search(
      'needle',
      gatewayOf({ s1: [message('m', `${'x'.repeat(500)}needle${'y'.repeat(500)}`)] }),
    );
    const [{ snippet, from, to } = { snippet: '', from: 0, to: 0 }] = hits;
    expect([snippet.slice(from, to), snippet.length, snippet.startsWith('…x'), snippet.endsWith('y…')]).toEqual([
      'needle',
      168,
      true,
      true,
    ]);
  });

  it('ends at a page that cannot be read, and says that it has failed', async () => {
    const { hits, hasFailed, searched } = await search('a', gatewayOf({ s1: [message('m', 'a')] }), ['s1', 's2']);
    expect([hits.length, hasFailed, searched]).toEqual([1, true, 1]);
  });

  it('ends at the maximum of hits', async () => {
    const many = Array.from({ length: MAX_HITS + 5 }, (_, i) => message(`m${i}`, 'a'));
    const { hits, searched } = await search('a', gatewayOf({ s1: many }), ['s1', 's1']);
    expect([hits.length, searched]).toEqual([MAX_HITS, 0]);
  });

  it('stops after the page that it reads', async () => {
    const conversation = new Conversation('s1', 's1', 's1');
    const found: HistorySearch = new HistorySearch(
      'a',
      [conversation, conversation],
      () => found.isRunning && found.stop(),
    );
    await found.run(gatewayOf({ s1: [message('m', 'a')] }, { s1: 's1' }));
    expect([found.hits.length, found.searched]).toEqual([1, 0]);
  });
});
