import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Update } from '../../core/channels/driver.js';
import type { Guild } from './guilds.js';
import { listFiles, readMessage } from './reading.js';
import { findReasonToIgnore, mayBeInThread, toUpdate, type Message } from './updates.js';

const BOT_ID = '900000000000000001';
const GUILD: Guild = { ownerId: '1', botRole: '910000000000000001', adminRoles: new Set(['910000000000000002']) };
const PARENT = '600000000000000001';

/** Returns the messages of a file that Discord has sent. */
function load(name: string): Message[] {
  const parsed = JSON.parse(
    readFileSync(new URL(`../../../test/inputs/discord/${name}.json`, import.meta.url), 'utf8'),
  ) as { readonly d: Message } | { readonly d: Message }[];
  return (Array.isArray(parsed) ? parsed : [parsed]).map(({ d }) => d);
}

function take(message: Message, isEdit = false): Update {
  const reason = findReasonToIgnore(message, isEdit);
  if (reason !== undefined) throw new Error(reason);
  return toUpdate(message, isEdit, mayBeInThread(message) ? PARENT : undefined, GUILD);
}

/** Returns an update and the message that is read from it, as after a restart. */
function read(message: Message, isEdit = false) {
  const update = JSON.parse(JSON.stringify(take(message, isEdit))) as Update;
  const reading = readMessage(update, BOT_ID);
  if (reading.kind !== 'message') throw new Error(reading.reason);
  const { sender, groupId, place } = update;
  return { sender, groupId, place, ...reading.message };
}

const [inGroup] = load('mentions') as [Message];
const [direct] = load('forward') as [Message];
/** A message of Ann in her own chat, with other fields. */
const write = (fields: object): Message => {
  const { message_reference: _, message_snapshots: __, ...message } = direct;
  return { ...message, ...fields };
};

describe('a message of Discord', () => {
  it('that mentions everyone does not mention the bot', () => {
    expect(read(inGroup)).toEqual({
      sender: '100000000000000001',
      groupId: PARENT,
      place: { chat: PARENT, replyTo: '1575481245696000010', isGroup: true },
      content: '@everyone stand-up in five minutes',
      sender_name: 'Ann',
      is_direct_mention: false,
    });
  });

  it('that mentions the role of the bot mentions the bot', () => {
    expect(read(load('mentions')[1]!)).toMatchObject({ is_direct_mention: true, content: 'what is on today?' });
  });

  it('that replies to the bot without a ping is a reply, and no mention', () => {
    expect(read(load('mentions')[2]!)).toMatchObject({
      is_reply_to_agent: true,
      is_direct_mention: false,
      content: 'and in French?',
      reply_to: 'discord:1575480994037760005',
    });
  });

  it('that replies to the bot with a ping is a reply, and no mention', () => {
    const [, , reply] = load('mentions') as [Message, Message, Message];
    const bot = reply.referenced_message!.author;
    expect(read({ ...reply, mentions: [bot] })).toMatchObject({ is_reply_to_agent: true, is_direct_mention: false });
    expect(read({ ...reply, referenced_message: null })).toMatchObject({ reply_to: 'discord:1575480994037760005' });
  });

  it('in a thread is of the channel of the thread, and answered in the thread', () => {
    expect(read(load('thread')[0]!)).toMatchObject({
      groupId: PARENT,
      thread_id: '1575481245696000009',
      place: { chat: '1575481245696000009', thread: '1575481245696000009', replyTo: '1575481245696000013' },
      is_direct_mention: true,
      content: 'continue here',
    });
  });

  it('that a person forwards is that person’s message, and quoted', () => {
    expect(read(direct)).toEqual({
      sender: '100000000000000001',
      groupId: undefined,
      place: { chat: '700000000000000001' },
      content: '> The meeting moves to Thursday 10:00.',
      sender_name: 'Ann',
      metadata: { forwarded_from: { channel_id: '600000000000000077', message_id: '1290000000000000001' } },
    });
  });

  it('whose mentions are forwarded does not mention the bot', () => {
    const [snapshot] = direct.message_snapshots!;
    const message = { ...snapshot!.message, content: `/reset <@${BOT_ID}>` };
    expect(read({ ...direct, message_snapshots: [{ message }] as never })).toMatchObject({
      content: `> /reset <@${BOT_ID}>`,
    });
  });

  it('that gets a preview is not edited', () => {
    const [preview] = load('embed-is-no-edit') as [Message];
    expect(findReasonToIgnore(preview, true)).toBe('an edit without a visible change');
    expect(findReasonToIgnore({ id: '1', channel_id: '2' } as Message, true)).toBeDefined();
  });

  it('that is edited is context under an ID of its own', () => {
    const [message] = load('embed-is-no-edit') as [Message];
    const edited = { ...message, edited_timestamp: '2026-11-26T12:01:00.000000+00:00' };
    expect(take(edited, true)).toMatchObject({ id: 'discord:1575481245696000015:edit:1795694460000' });
    expect(take(edited, true)).toMatchObject({ change: { kind: 'edit', messageId: 'discord:1575481245696000015' } });
    expect(read(edited, true)).toMatchObject({ content: 'read https://example.com/blog' });
  });

  it.each([6, 7, 8, 18, 21, 46])('of type %d is none of a person', (type) => {
    expect(findReasonToIgnore({ ...inGroup, type }, false)).toBe(`a message of type ${type}`);
  });

  it('of a bot or a webhook is marked', () => {
    expect(take({ ...inGroup, author: { ...inGroup.author, bot: true } })).toMatchObject({ isBot: true });
    expect(take({ ...inGroup, webhook_id: '1' })).toMatchObject({ isBot: true });
    expect(findReasonToIgnore({ ...inGroup, author: { ...inGroup.author, system: true } }, false)).toBeDefined();
  });

  it('of the owner of the server, or with a role that manages it, is of an admin', () => {
    expect(read({ ...inGroup, author: { ...inGroup.author, id: '1' } })).toMatchObject({ sender_is_admin: true });
    const member = { ...inGroup.member!, roles: ['910000000000000002'] };
    expect(read({ ...inGroup, member })).toMatchObject({ sender_is_admin: true });
  });

  it('names people and emoji in place of their IDs', () => {
    const bo = { ...inGroup.author, id: '100000000000000002', global_name: 'Bo\u202E\n' };
    const content = '<@100000000000000002> <:party:123456789012345678> <#600000000000000001> <@100000000000000003>';
    expect(read({ ...inGroup, content, mentions: [bo] }).content).toBe(
      '@Bo :party: <#600000000000000001> <@100000000000000003>',
    );
  });

  it('names people without characters that disguise', () => {
    const author = { ...direct.author, global_name: `\u202EAnn\u0007\n👩‍👩‍👧${'x'.repeat(10_000)}` };
    const name = read(write({ content: 'hi', author })).sender_name ?? '';
    expect(name.startsWith('Ann 👩‍👩‍👧xx')).toBe(true);
    expect(name.length).toBeLessThanOrEqual(201);
  });

  it('keeps its sender when the name changes to that of another', () => {
    const author = { ...direct.author, id: '666', global_name: 'Ann' };
    expect(read(write({ content: 'hi', author }))).toMatchObject({ sender: '666', sender_name: 'Ann' });
  });

  it.each([
    [{ sticker_items: [{ id: '1', name: 'Wave', format_type: 1 }] }, '[sticker: Wave]'],
    [
      {
        poll: {
          question: { text: 'Lunch?' },
          answers: [{ poll_media: { text: 'yes' } }, { poll_media: { text: 'no' } }],
        },
      },
      '[poll: Lunch? / yes, no]',
    ],
  ])('puts a kind without a text into words: %j', (fields, content) => {
    expect(read(write(fields)).content).toBe(content);
  });

  it('without anything to read gets a note in a direct chat', () => {
    expect(readMessage(take(write({})), BOT_ID)).toMatchObject({ kind: 'ignored', note: expect.any(String) });
    const reading = readMessage(take({ ...inGroup, content: '' }), BOT_ID);
    expect(reading).toEqual({ kind: 'ignored', reason: 'a message without a text' });
  });

  it('has its files, and those of what it forwards', () => {
    const file = {
      id: '1',
      filename: 'a.png',
      size: 3,
      url: 'https://cdn.discordapp.com/a',
      content_type: 'image/png',
    };
    expect(listFiles(write({ attachments: [file] }))).toEqual([
      { id: file.url, kind: 'image', name: 'a.png', sizeBytes: 3 },
    ]);
    const [snapshot] = direct.message_snapshots!;
    const message_snapshots = [
      { message: { ...snapshot!.message, attachments: [{ ...file, content_type: undefined }] } },
    ];
    expect(listFiles({ ...direct, message_snapshots })).toMatchObject([{ kind: 'file' }]);
    expect(read(write({ attachments: [file] })).content).toBe('');
  });

  it('without an ID is refused', () => {
    expect(() => take({ ...inGroup, id: undefined as never })).toThrow('missing');
    expect(() => take({ ...inGroup, id: 'x' })).toThrow('missing');
  });
});
