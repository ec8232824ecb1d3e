import { describe, expect, it } from 'vitest';
import { Conversation } from '../model/conversation.js';
import { groupConversations } from './conversation-groups.js';

const NOW = new Date(2026, 4, 15, 12).getTime();
const conversation = (title: string, lastAt: number, isPinned = false) =>
  Object.assign(new Conversation(title, undefined, title), { lastAt, isPinned });
const at = (month: number, day: number, hour = 12, year = 2026) => new Date(year, month - 1, day, hour).getTime();

describe('the list of conversations', () => {
  it('is grouped: pinned, today, yesterday, a week, then months', () => {
    const listed = [
      conversation('ahead', NOW + 86_400_000),
      conversation('now', at(5, 15, 0)),
      conversation('late', at(5, 14, 23)),
      conversation('week', at(5, 8, 1)),
      conversation('kept', at(5, 2), true),
      conversation('may', at(5, 7, 23)),
      conversation('april', at(4, 30)),
      conversation('last year', at(12, 31, 12, 2025)),
      conversation('unknown', 0),
    ];
    const groups = groupConversations(listed, NOW).map(({ heading, conversations }) => [
      heading,
      conversations.map(({ title }) => title),
    ]);
    expect(groups).toEqual([
      ['Pinned', ['kept']],
      ['Today', ['ahead', 'now']],
      ['Yesterday', ['late']],
      ['Last 7 days', ['week']],
      [expect.stringMatching(/May/), ['may']],
      [expect.stringMatching(/April/), ['april']],
      [expect.stringMatching(/December.*2025/), ['last year']],
      ['Earlier', ['unknown']],
    ]);
  });
});
