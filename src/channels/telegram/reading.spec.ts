import { readFileSync } from 'node:fs';
import type { Update as BotUpdate } from '@grammyjs/types';
import { describe, expect, it } from 'vitest';
import type { Update } from '../../core/channels/driver.js';
import { findFile } from './content.js';
import { readUpdates } from './reading.js';
import { sortUpdate, type RawUpdate, type Sorted } from './updates.js';

const NOW = 1_700_000_000_000;
const BOT = { id: 7_000_000_001, username: 'acme_helper_bot' };

/** Returns the updates of a file that Telegram has sent. */
function load(name: string): BotUpdate[] {
  const parsed = JSON.parse(
    readFileSync(new URL(`../../../test/inputs/telegram/${name}.json`, import.meta.url), 'utf8'),
  ) as BotUpdate | BotUpdate[];
  return Array.isArray(parsed) ? parsed : [parsed];
}

function sort(name: string, number = 0): Sorted {
  return sortUpdate(load(name)[number] as BotUpdate, BOT, NOW);
}

function take(sorted: Sorted): Update {
  if (sorted.kind !== 'update') throw new Error(`it is ${sorted.kind}`);
  return sorted.update;
}

/** Returns an update and the message that is read from it. */
function read(sorted: Sorted) {
  const update = take(sorted);
  const reading = readUpdates([update.raw as RawUpdate], BOT);
  if (reading.kind !== 'message') throw new Error(reading.reason);
  const { sender, groupId, place } = update;
  return { sender, groupId, place, ...reading.message };
}

/** A message of Ann in her own chat, with other fields. */
function write(fields: object, more: object = {}): Sorted {
  const ann = { id: 5001, is_bot: false, first_name: 'Ann', last_name: 'Berg' };
  const message = { message_id: 7, date: 1_795_694_400, from: ann, chat: { id: 5001, type: 'private' }, ...fields };
  return sortUpdate({ update_id: 1, message, ...more } as unknown as BotUpdate, BOT, NOW);
}

describe('an update of Telegram', () => {
  it('with a location only has a text', () => {
    expect(read(sort('location-only'))).toEqual({
      sender: '5001',
      groupId: undefined,
      place: { chat: '5001' },
      content: '[location 52.51630, 13.37770]',
      sender_name: 'Ann Berg',
    });
  });

  it('that a person forwards is that person’s message, and quoted', () => {
    const message = read(sort('forward'));
    expect(message.sender).toBe('5001');
    expect(message.content).toBe('> The invoice 4711 is still open. Can you chase it?');
    expect(message.metadata).toEqual({ forwarded_from: { id: '5002', name: 'Bo' } });
  });

  it('in a chain of replies is in no topic', () => {
    expect(read(sort('thread-id-without-topic'))).toEqual({
      sender: '5001',
      groupId: '-1001000000012',
      place: { chat: '-1001000000012', replyTo: '205', isGroup: true },
      content: 'what do you think?',
      sender_name: 'Ann Berg',
      is_direct_mention: true,
      reply_to: 'telegram:7000000001:-1001000000012:190',
    });
  });

  it('in a topic that the bot has opened is not a reply to the bot', () => {
    const message = read(sort('topic-root-is-no-reply'));
    expect(message).toMatchObject({ groupId: '-1001000000011', thread_id: '163', is_direct_mention: false });
    expect(message).not.toHaveProperty('is_reply_to_agent');
    expect(message).not.toHaveProperty('reply_to');
  });

  it('moves a group, whichever of its two messages arrives', () => {
    const moved = { kind: 'moved', from: '-4518000021', to: '-1002471000021' };
    expect([sort('group-migrated', 0), sort('group-migrated', 1)]).toEqual([moved, moved]);
    expect(read(sort('group-migrated', 2))).toMatchObject({ content: 'still there?', is_direct_mention: true });
  });

  it('of an anonymous admin is of the group, and of an admin', () => {
    expect(read(sort('anonymous-admin'))).toMatchObject({
      sender: '-1001000000012',
      sender_is_admin: true,
      sender_name: 'Acme team (lead)',
      content: '/activation always',
    });
  });

  it('in a topic of a direct chat is answered in the topic', () => {
    const message = read(sort('dm-topic'));
    expect(message).toMatchObject({ sender: '5001', thread_id: '58', place: { chat: '5001', thread: '58' } });
    expect(message.groupId).toBeUndefined();
  });

  it('of an album is one message with all captions', () => {
    const updates = [0, 1, 2].map((n) => take(sort('album', n)));
    expect(new Set(updates.map(({ join }) => join?.key)).size).toBe(1);
    const reading = readUpdates(updates.map(({ raw }) => raw) as [RawUpdate], BOT);
    expect(reading).toMatchObject({ kind: 'message', message: { content: '[1] before\n[3] after' } });
  });

  it('of an album has the largest size of its picture', () => {
    const files = load('album').map(({ message }) => findFile(message as never));
    expect(files.map((file) => [file?.id, file?.kind])).toEqual([
      ['AgACAgQAAx1L', 'image'],
      ['AgACAgQAAx2L', 'image'],
      ['AgACAgQAAx3L', 'image'],
    ]);
  });

  it('has its mention in a caption behind a family of emoji', () => {
    const message = read(sort('caption-mention-after-emoji'));
    expect(message).toMatchObject({ content: '👩‍👩‍👧 ok, read this', is_direct_mention: true });
    expect(findFile(load('caption-mention-after-emoji')[0]?.message as never)).toEqual({
      id: 'BQACAgQAAxDoc',
      kind: 'file',
      name: 'plan.pdf',
      sizeBytes: 40_000,
    });
  });

  it.each(['business-message', 'automatic-forward'])('is ignored: %s', (name) => {
    expect(sort(name).kind).toBe('ignored');
  });

  it('has the ID of its bot, its chat and its message', () => {
    expect(take(sort('location-only')).id).toBe('telegram:7000000001:5001:42');
  });

  it('that is an edit is context under an ID of its own', () => {
    const edited = {
      ...load('location-only')[0]?.message,
      location: undefined,
      text: 'after',
      edit_date: 1_795_694_500,
    };
    const sorted = sortUpdate({ update_id: 1, edited_message: edited } as never, BOT, NOW);
    expect(take(sorted)).toMatchObject({
      id: 'telegram:7000000001:5001:42:edit:1795694500',
      sentAt: 1_795_694_500_000,
      change: { kind: 'edit', messageId: 'telegram:7000000001:5001:42' },
    });
    expect(read(sorted)).toMatchObject({ content: 'after' });
  });

  it('is ignored when a field is missing or of an unknown kind', () => {
    expect(sortUpdate({ update_id: 1 }, BOT, NOW).kind).toBe('ignored');
    expect(sortUpdate({ update_id: 1, new_thing: {} } as never, BOT, NOW).kind).toBe('ignored');
    expect(write({ from: undefined }).kind).toBe('ignored');
    expect(take(write({ from: { id: 9, is_bot: true, first_name: 'Other' } }))).toMatchObject({ isBot: true });
  });

  it('names people without characters that disguise', () => {
    const from = { id: 5001, is_bot: false, first_name: `\u202EAnn\u0007\n👩‍👩‍👧${'x'.repeat(10_000)}` };
    const name = read(write({ from, text: 'hi' })).sender_name ?? '';
    expect(name.startsWith('Ann 👩‍👩‍👧xx')).toBe(true);
    expect(name.length).toBeLessThanOrEqual(201);
  });

  it('keeps its sender when the name changes to that of another', () => {
    const from = { id: 6666, is_bot: false, first_name: 'Ann', last_name: 'Berg' };
    expect(read(write({ from, text: 'hi' })).sender).toBe('6666');
  });

  it('does not find a mention in code, nor in a command for another bot', () => {
    const group = { chat: { id: -5, type: 'supergroup', title: 'Acme' } };
    const code = { text: '@acme_helper_bot', entities: [{ type: 'code', offset: 0, length: 16 }] };
    expect(read(write({ ...group, ...code }))).toMatchObject({ content: '@acme_helper_bot', is_direct_mention: false });
    const command = { text: '/reset@other_bot', entities: [{ type: 'bot_command', offset: 0, length: 16 }] };
    expect(read(write({ ...group, ...command }))).toMatchObject({
      content: '/reset@other_bot',
      is_direct_mention: false,
    });
  });

  it('finds a mention by name without a user name, and writes out links', () => {
    const text = 'Helper look here';
    const entities = [
      { type: 'text_mention', offset: 0, length: 6, user: { id: BOT.id, is_bot: true, first_name: 'Helper' } },
      { type: 'text_link', offset: 12, length: 4, url: 'https://example.com/' },
    ];
    expect(read(write({ text, entities }))).toMatchObject({ content: 'look here (https://example.com/)' });
  });

  it.each([
    [{ contact: { phone_number: '+49 30 1', first_name: 'Bo' } }, '[contact Bo +49 30 1]'],
    [{ sticker: { emoji: '👍', file_id: 'x' } }, '[sticker: 👍]'],
    [{ poll: { question: 'Lunch?', options: [{ text: 'yes' }, { text: 'no' }] } }, '[poll: Lunch? / yes, no]'],
    [{ voice: { file_id: 'x', duration: 3 } }, ''],
  ])('puts a kind without a text into words: %j', (fields, content) => {
    expect(read(write(fields)).content).toBe(content);
  });

  it('that a person makes by a button is a command of that person', () => {
    const query = {
      id: '99',
      from: { id: 5002, is_bot: false, first_name: 'Bo' },
      data: 'a:a_1234',
      message: { message_id: 3, date: 1, chat: { id: -5, type: 'group', title: 'Acme' } },
    };
    const sorted = sortUpdate({ update_id: 1, callback_query: query } as never, BOT, NOW);
    expect(take(sorted).id).toBe('telegram:7000000001:cb:99');
    expect(read(sorted)).toMatchObject({ sender: '5002', groupId: '-5', content: '/approve a_1234' });
  });
});
