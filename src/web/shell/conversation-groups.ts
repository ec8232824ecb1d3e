import type { Conversation } from '../model/conversation.js';
import { texts } from '../texts.js';
import { formatMonth, isSameDay } from '../times.js';

/** Conversations under one heading. */
export interface ConversationGroup {
  readonly heading: string;
  readonly conversations: readonly Conversation[];
}

const DAY_MS = 86_400_000;

/** Groups conversations by when they were last active: pinned ones first, then today, yesterday, a week, months. */
export function groupConversations(listed: readonly Conversation[], now: number): readonly ConversationGroup[] {
  const groups = new Map<string, Conversation[]>();
  const pinned = listed.filter(({ isPinned }) => isPinned);
  const others = listed.filter(({ isPinned }) => !isPinned);
  if (pinned.length > 0) groups.set(texts.conversations.groups.pinned, pinned);
  for (const conversation of others) {
    const heading = headingOf(conversation.lastAt, now);
    groups.set(heading, [...(groups.get(heading) ?? []), conversation]);
  }
  return [...groups].map(([heading, conversations]) => ({ heading, conversations }));
}

/** A time in the future counts as today: the clocks of device and gateway can differ. */
function headingOf(lastAt: number, now: number): string {
  const { groups } = texts.conversations;
  if (lastAt === 0) return groups.earlier;
  if (lastAt > now || isSameDay(lastAt, now)) return groups.today;
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (lastAt >= midnight - DAY_MS) return groups.yesterday;
  return lastAt >= midnight - 7 * DAY_MS ? groups.week : formatMonth(lastAt, now);
}
