import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Update } from '../../core/channels/driver.js';
import { sortEvent, type Post, type Sorted } from './events.js';
import type { Raw } from '../../core/channels/kit/raw.js';
import { readUpdate } from './reading.js';

const BOT = { team: 'T0ACME001', user: 'U0BOT0001' };
const OPTIONS = { bot: BOT, repliesInThread: true, requiresMention: true };

/** Threads in which the agent takes part, as `CHAT THREAD`. */
let threads: Set<string>;
/** Names by `@ID` or `#ID`; people in `admins` are admins. */
let names: Map<string, string>;
let admins: Set<string>;

beforeEach(() => {
  [threads, names, admins] = [new Set(), new Map([['@U0ANN0001', 'Ann Berg']]), new Set()];
});

/** Returns the events of a file that Slack has sent. */
function load(name: string): Raw[] {
  const path = new URL(`../../../test/inputs/slack/${name}.json`, import.meta.url);
  const parsed = JSON.parse(readFileSync(path, 'utf8')) as Raw | Raw[];
  return Array.isArray(parsed) ? parsed : [parsed];
}

const sort = (name: string, number = 0) => sortEvent(load(name)[number] ?? {}, OPTIONS);

function take(sorted: Sorted): Update {
  if (sorted.kind !== 'update') throw new Error(`it is ${sorted.kind}: ${sorted.reason}`);
  return sorted.update;
}

/** Returns an update and the message that is read from it. */
async function read(sorted: Sorted) {
  const update = take(sorted);
  const people = {
    find: async (id: string) => ({ name: names.get(id), isAdmin: admins.has(id) }),
    name: async (ids: readonly string[]) => new Map([...names].filter(([id]) => ids.includes(id))),
  };
  const takesPart = async ({ place }: Update) => threads.has(`${place.chat} ${place.thread}`);
  const reading = await readUpdate(update, { bot: BOT, people, takesPart });
  if (reading.kind !== 'message') throw new Error(reading.reason);
  const { sender, groupId, place } = update;
  return { sender, groupId, place, ...reading.message };
}

/** A post of Ann in her own chat, with other fields. */
function write(fields: object, envelope: object = {}): Sorted {
  const event = {
    type: 'message',
    channel: 'D0ANN0001',
    channel_type: 'im',
    user: 'U0ANN0001',
    team: BOT.team,
    text: 'hi',
    ts: '1795694400.000100',
    ...fields,
  };
  return sortEvent({ type: 'event_callback', team_id: BOT.team, event, ...envelope }, OPTIONS);
}

describe('an event of Slack', () => {
  it('of the preview of a link does not count as an edit', () => {
    expect(sort('unfurl-is-no-edit')).toMatchObject({ kind: 'ignored', reason: 'an edit without a visible change' });
  });

  it('opens a thread when it addresses the agent, or when every post does', () => {
    const event = {
      type: 'message',
      user: 'U0ANN0001',
      team: BOT.team,
      text: 'hi',
      ts: '1.000100',
      channel: 'C0TEAM001',
    };
    const placeOf = (changes: object) => take(sortEvent({ event }, { ...OPTIONS, ...changes })).place;
    expect(placeOf({}).thread).toBeUndefined();
    expect(placeOf({ requiresMention: false }).thread).toBe('1.000100');
    expect(placeOf({ requiresMention: false, repliesInThread: false }).thread).toBeUndefined();
  });

  it('is one message in two events, in either order', async () => {
    const [mention, post] = [sort('one-post-two-events', 0), sort('one-post-two-events', 1)];
    expect(take(mention)).toEqual(take(post));
    expect(await read(mention)).toEqual(await read(post));
    expect(await read(mention)).toEqual({
      sender: 'U0ANN0001',
      groupId: 'C0TEAM001',
      place: { chat: 'C0TEAM001', thread: '1795694410.000300', person: 'U0ANN0001', isGroup: true },
      content: 'status of order 17?',
      sender_name: 'Ann Berg',
      thread_id: '1795694410.000300',
      is_direct_mention: true,
    });
    expect(take(mention).id).toBe('slack:T0ACME001:C0TEAM001:1795694410.000300');
  });

  it('in a thread in which the agent takes part is a reply to it', async () => {
    expect(await read(sort('reply-in-thread', 0))).toMatchObject({
      thread_id: '1795694420.000400',
      is_direct_mention: true,
    });
    threads.add('C0TEAM001 1795694420.000400');
    expect(await read(sort('reply-in-thread', 1))).toMatchObject({
      groupId: 'C0TEAM001',
      thread_id: '1795694420.000400',
      content: 'shorter, please',
      is_direct_mention: false,
      is_reply_to_agent: true,
    });
    threads.clear();
    expect(await read(sort('reply-in-thread', 1))).not.toHaveProperty('is_reply_to_agent');
  });

  it('of a program is that of a bot, and of the bot itself nothing', () => {
    expect(take(sort('bot-without-subtype'))).toMatchObject({ sender: 'U0CI00001', isBot: true });
    const old = { subtype: 'bot_message', user: undefined, bot_id: 'B0CI00001' };
    expect(take(write(old))).toMatchObject({ sender: 'B0CI00001', isBot: true });
    expect(write({ user: BOT.user, bot_id: 'B0BOT0001' }).kind).toBe('ignored');
  });

  it('with a file only has no text, and its file', async () => {
    const update = take(sort('file-share'));
    expect(await read(sort('file-share'))).toEqual({
      sender: 'U0ANN0001',
      groupId: undefined,
      place: { chat: 'D0ANN0001' },
      content: '',
      sender_name: 'Ann Berg',
    });
    expect((update.raw as Post).files).toMatchObject([
      { id: 'F0FILE001', name: 'audio_message.m4a', mimeType: 'audio/mp4', sizeBytes: 51_234 },
    ]);
  });

  it('has its entities decoded once, and keeps names and addresses', async () => {
    expect(await read(sort('entities'))).toMatchObject({
      content: 'is a < b && b > c? ask @bo in #dev, see the page (https://example.com/a?x=1&y=2) @here',
      is_direct_mention: true,
    });
    expect(await read(write({ text: '&amp;lt;@U0BOT0001&amp;gt; &lt;@U0BOT0001&gt;' }))).toMatchObject({
      content: '&lt;@U0BOT0001&gt; <@U0BOT0001>',
    });
  });

  it('of a person of another workspace has another sender than one of ours with the same ID', async () => {
    expect(await read(sort('connect-stranger'))).toMatchObject({
      sender: 'T0OTHER01/U0ANN0001',
      groupId: 'C0SHARED1',
      metadata: { external: true },
    });
  });

  it('that is an edit has the ID of its message, and another of its own', async () => {
    const message = { type: 'message', user: 'U0ANN0001', text: 'after', ts: '1795694400.000100' };
    const edited = { ...message, edited: { user: 'U0ANN0001', ts: '1795694500.000000' } };
    const event = { subtype: 'message_changed', hidden: true, message: edited, event_ts: '1795694500.000200' };
    const sorted = write({ ...event, previous_message: { ...message, text: 'before' } });
    const messageId = 'slack:T0ACME001:D0ANN0001:1795694400.000100';
    expect(take(sorted)).toMatchObject({
      id: expect.stringMatching(`^${messageId}:edit:[0-9a-f]{64}$`),
      change: { kind: 'edit', messageId },
      sentAt: 1_795_694_500_000,
      place: { chat: 'D0ANN0001' },
    });
    expect(await read(sorted)).toMatchObject({ content: 'after' });
  });

  it('that is a deletion has the ID of its message', () => {
    const before = { type: 'message', user: 'U0ANN0001', text: 'secret', ts: '1795694400.000100' };
    const sorted = write({ subtype: 'message_deleted', previous_message: before, event_ts: '1795694500.000200' });
    const messageId = 'slack:T0ACME001:D0ANN0001:1795694400.000100';
    expect(take(sorted)).toMatchObject({ id: `${messageId}:deleted`, change: { kind: 'deletion', messageId } });
  });

  it('that is a reaction is one of the person who reacts', () => {
    const item = { type: 'message', channel: 'C0TEAM001', ts: '1795694400.000100' };
    const event = { user: 'U0BO00001', reaction: 'thumbsup', item, event_ts: '1795694500.000200' };
    for (const action of ['added', 'removed'])
      expect(take(write({ ...event, type: `reaction_${action}` }))).toMatchObject({
        sender: 'U0BO00001',
        groupId: 'C0TEAM001',
        reaction: {
          action,
          messageId: 'slack:T0ACME001:C0TEAM001:1795694400.000100',
          ref: '1795694400.000100',
          emoji: ':thumbsup:',
        },
      });
    expect(write({ ...event, type: 'reaction_added', item: { type: 'file' } }).kind).toBe('ignored');
    expect(write({ ...event, type: 'reaction_added', user: BOT.user }).kind).toBe('ignored');
  });

  it('that a person forwards is that person’s message, and quoted', async () => {
    const share = { is_share: true, text: 'Pay <@U0BOT0001> now', author_id: 'U0BO00001', author_name: 'Bo' };
    expect(await read(write({ text: 'look', attachments: [share, { title: 'a preview' }] }))).toMatchObject({
      content: 'look\n\n> Pay now',
      metadata: { forwarded_from: { id: 'U0BO00001', name: 'Bo' } },
    });
  });

  it.each(['channel_join', 'channel_topic', 'pinned_item', 'huddle_thread', 'message_replied'])(
    'of the type %s is ignored',
    (subtype) => {
      expect(write({ subtype }).kind).toBe('ignored');
    },
  );

  it.each(['file_share', 'thread_broadcast', 'me_message'])('of the type %s is a person’s', (subtype) => {
    expect(write({ subtype }).kind).toBe('update');
  });

  it('that is a mention in a direct chat is ignored: the message comes too', () => {
    expect(write({ type: 'app_mention' }).kind).toBe('ignored');
  });

  it('is not understood when a field is missing or of another type', () => {
    for (const odd of [{ ts: undefined }, { ts: 7 }, { ts: 'now' }, { channel: undefined }])
      expect(() => write(odd), JSON.stringify(odd)).toThrow();
    for (const odd of [{ user: undefined }, { user: 7 }, { type: 'new_thing' }, { type: undefined }])
      expect(write(odd).kind).toBe('ignored');
    expect(sortEvent({}, OPTIONS).kind).toBe('ignored');
    expect(sortEvent({ event: 'x' }, OPTIONS).kind).toBe('ignored');
    expect(take(write({ files: 'x', attachments: [7], text: null, new_field: {} }))).toMatchObject({
      raw: { text: '', files: [], forwarded: [] },
    });
  });

  it('names people without characters that disguise, and keeps the sender when the name changes', async () => {
    names.set('@U0ANN0001', `\u202EBo\u0007\n👩‍👩‍👧${'x'.repeat(10_000)}`);
    const message = await read(write({}));
    expect(message.sender).toBe('U0ANN0001');
    expect(message.sender_name?.startsWith('Bo 👩‍👩‍👧xx')).toBe(true);
    expect(message.sender_name?.length).toBeLessThanOrEqual(201);
  });

  it('looks up names that its text lacks', async () => {
    names.set('@U0BO00001', 'bo').set('#C0DEV0001', 'dev');
    expect(await read(write({ text: 'ask <@U0BO00001> in <#C0DEV0001>, not <@U0NONE001>' }))).toMatchObject({
      content: 'ask @bo in #dev, not @U0NONE001',
    });
  });

  it.each([
    ['<https://example.com>', 'https://example.com'],
    ['<mailto:bo@example.com|bo@example.com>', 'bo@example.com'],
    ['<!subteam^S0DEV0001|@devs> and <!subteam^S0DEV0001>', '@devs and'],
    ['<!date^1392734382^{date}|18 Feb 2014>', '18 Feb 2014'],
    ['1 < 2 <', '1 < 2 <'],
    ['<@U0BOT0001|helper> hello', 'hello'],
  ])('reads %j', async (text, content) => {
    expect(await read(write({ text }))).toMatchObject({ content });
  });

  it('of an admin is of an admin', async () => {
    admins.add('@U0ANN0001');
    expect(await read(write({}))).toMatchObject({ sender_is_admin: true });
  });

  it('that a person makes by a button is a command of that person', async () => {
    const press = {
      type: 'block_actions',
      team: { id: BOT.team },
      user: { id: 'U0BO00001', team_id: BOT.team },
      channel: { id: 'C0TEAM001' },
      message: { ts: '1795694400.000100', thread_ts: '1795694300.000100' },
      actions: [{ action_id: 'x', value: 'a:a_1234', action_ts: '1795694460.000100' }],
    };
    const sorted = sortEvent(press, OPTIONS);
    expect(take(sorted).id).toBe('slack:T0ACME001:C0TEAM001:1795694460.000100:press');
    expect(await read(sorted)).toMatchObject({
      sender: 'U0BO00001',
      groupId: 'C0TEAM001',
      place: { thread: '1795694300.000100' },
      thread_id: '1795694300.000100',
      content: '/approve a_1234',
    });
    expect(sortEvent({ ...press, actions: [] }, OPTIONS).kind).toBe('ignored');
  });

  it('that the app was removed, or its token revoked, is neither', () => {
    expect(write({ type: 'tokens_revoked' })).toEqual({ kind: 'revoked', reason: 'tokens_revoked' });
    expect(write({ type: 'app_uninstalled' }).kind).toBe('revoked');
  });
});
