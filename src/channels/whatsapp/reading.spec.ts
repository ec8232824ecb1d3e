import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Update } from '../../core/channels/driver.js';
import { listChanges, sortChange, type Event, type RawMessage } from './events.js';
import { namesOf } from './people.js';
import { findFile, readMessage } from './reading.js';

const ANN = { from: '15550001001', from_user_id: 'US.1349120000000000001' };
const CONTACT = { profile: { name: 'Ann' }, wa_id: ANN.from, user_id: ANN.from_user_id };

/** Returns what the changes of a delivery are. */
function sort(delivery: unknown): Event[] {
  return listChanges(delivery).flatMap((change) => sortChange(change));
}

/** Returns what the deliveries of a file are, one list for each. */
function load(name: string): Event[][] {
  const text = readFileSync(new URL(`../../../test/inputs/whatsapp/${name}.json`, import.meta.url), 'utf8');
  const parsed = JSON.parse(text) as unknown;
  return (Array.isArray(parsed) ? parsed : [parsed]).map(sort);
}

function take(event: Event | undefined): Update {
  if (event?.kind !== 'update') throw new Error(`it is ${event?.kind}`);
  return event.update;
}

/** Returns an update and the message that is read from it. */
function read(event: Event | undefined) {
  const update = take(event);
  const reading = readMessage(update.raw as RawMessage);
  if (reading.kind !== 'message') throw new Error(reading.reason);
  const { sender, groupId, place } = update;
  return { sender, groupId, place, ...reading.message };
}

/** A message of Ann. */
function write(fields: object, contact: object = CONTACT): Event | undefined {
  const message = { ...ANN, id: 'wamid.7', timestamp: '1795694400', ...fields };
  const metadata = { display_phone_number: '+1 555-078-3001', phone_number_id: '106540352200001' };
  const value = { metadata, contacts: [contact], messages: [message] };
  return sort({ entry: [{ changes: [{ field: 'messages', value }] }] })[0];
}

describe('a delivery of WhatsApp', () => {
  it('of a person who hides the number has the business-scoped ID as sender', () => {
    const [[message], [change]] = load('bsuid-only-then-changed') as [Event[], Event[]];
    expect(read(message)).toMatchObject({
      sender: 'DE.1349120000000000002',
      sender_name: 'Cleo',
      content: 'Do you open on Sunday?',
      place: { chat: 'DE.1349120000000000002' },
    });
    expect(change).toEqual({
      kind: 'moved',
      from: 'US.1349120000000000001',
      to: 'US.1349120000000000009',
    });
  });

  it('says later that a message has failed, and why', () => {
    expect(load('failed-later')).toEqual([
      [
        {
          kind: 'status',
          status: {
            ref: 'wamid.OUT65',
            partId: 'part:01',
            failure: {
              code: 131_047,
              description:
                'Message failed to send because more than 24 hours have passed since the customer last replied to this number.',
            },
          },
        },
      ],
    ]);
  });

  it('for two numbers has a change for each', () => {
    const text = readFileSync(
      new URL('../../../test/inputs/whatsapp/two-numbers-in-one-delivery.json', import.meta.url),
      'utf8',
    );
    const changes = listChanges(JSON.parse(text)).map((change) => {
      const [event] = sortChange(change);
      return [change.phoneNumberId, read(event).content];
    });
    expect(changes).toEqual([
      ['106540352200001', 'to the shop'],
      ['106540352200002', 'to the workshop'],
    ]);
  });

  it('in which people quote themselves is theirs, and no reply to the agent', () => {
    const [[quote], [echo]] = load('own-quote-and-echo') as [Event[], Event[]];
    const message = read(quote);
    expect(message).toMatchObject({
      sender: 'US.1349120000000000001',
      content: 'I meant this one',
      reply_to: 'whatsapp:wamid.EARLIER',
    });
    expect(message).not.toHaveProperty('is_reply_to_agent');
    expect(echo).toEqual({ kind: 'ignored', reason: 'a change of smb_message_echoes' });
  });

  it('with a kind that is not supported is one note, and with a removed reaction has no emoji', () => {
    const [[poll], [removed]] = load('unsupported-and-reaction-removed') as [Event[], Event[]];
    expect(take(removed).reaction).toEqual({
      action: 'removed',
      messageId: 'whatsapp:wamid.OUT60',
      ref: 'wamid.OUT60',
      emoji: '',
    });
    expect(readMessage(take(poll).raw as RawMessage)).toEqual({
      kind: 'ignored',
      reason: 'a message of the kind unsupported',
      note: 'I cannot read messages of this kind.',
    });
  });

  it('is left out when a field is missing or of another type', () => {
    const odd = [{ id: undefined }, { id: 7 }, { timestamp: 'now' }, { timestamp: { toString: 1 } }];
    for (const fields of [...odd, { from: undefined, from_user_id: undefined }])
      expect(write(fields)?.kind).toBe('ignored');
    for (const delivery of [null, 7, [], {}, { entry: 7 }, { entry: [{ changes: [7, { value: 7 }] }] }])
      expect(sort(delivery).every(({ kind }) => kind === 'ignored')).toBe(true);
  });

  it('with fields that are not known is read by those that are', () => {
    expect(read(write({ type: 'text', text: { body: 'hi', new: 1 }, new: [] })).content).toBe('hi');
    for (const type of ['constructor', 'toString', 'brand_new', undefined])
      expect(readMessage(take(write({ type })).raw as RawMessage)).toMatchObject({ kind: 'ignored' });
  });

  it('names people without characters that disguise, and keeps them when they rename themselves', () => {
    const name = `\u202EAnn\u0007\n👩‍👩‍👧${'x'.repeat(10_000)}`;
    const message = read(write({ type: 'text', text: { body: 'hi' } }, { ...CONTACT, profile: { name } }));
    expect(message.sender_name?.startsWith('Ann 👩‍👩‍👧xx')).toBe(true);
    expect(message.sender_name?.length).toBeLessThanOrEqual(201);
    const other = { from_user_id: 'US.6', from: undefined, type: 'text', text: { body: 'hi' } };
    expect(read(write(other, { profile: { name: 'Ann' }, user_id: 'US.6' })).sender).toBe('US.6');
  });

  it('of a group is of the group, and a reply to the agent only when it quotes the account', () => {
    const group = { group_id: 'group-1', type: 'text', text: { body: 'and now?' } };
    expect(read(write(group))).toMatchObject({
      sender: 'US.1349120000000000001',
      groupId: 'group-1',
      place: { chat: 'group-1', replyTo: 'wamid.7', isGroup: true },
    });
    const reply = read(write({ ...group, context: { from: '15550783001', id: 'wamid.OUT1' } }));
    expect(reply).toMatchObject({ is_reply_to_agent: true, reply_to: 'whatsapp:wamid.OUT1' });
  });

  it('has an ID of the message that fits, also when it quotes a long one', () => {
    const id = `wamid.${'A'.repeat(200)}`;
    expect(take(write({ id, type: 'text', text: { body: 'hi' } })).id).toMatch(/^whatsapp:sha256:[0-9a-f]{64}$/);
    expect(read(write({ type: 'text', text: { body: 'hi' }, context: { id } })).reply_to).toMatch(/^whatsapp:sha256:/);
  });

  it('that a person forwards is quoted, so that commands in it do not count', () => {
    const message = read(write({ type: 'text', text: { body: '/reset\nnow' }, context: { forwarded: true } }));
    expect(message).toMatchObject({ content: '> /reset\n> now', metadata: { forwarded_from: {} } });
  });

  it.each([
    [{ type: 'location', location: { latitude: 52.5163, longitude: 13.3777 } }, '[location 52.51630, 13.37770]'],
    [
      { type: 'location', location: { latitude: 1, longitude: 2, name: 'Zoo', address: 'Park 1' } },
      '[location 1.00000, 2.00000: Zoo, Park 1]',
    ],
    [
      { type: 'contacts', contacts: [{ name: { formatted_name: 'Bo' }, phones: [{ phone: '+49 30 1' }] }] },
      '[contact Bo +49 30 1]',
    ],
    [{ type: 'sticker', sticker: { id: 'x', animated: true } }, '[sticker: animated]'],
    [{ type: 'order', order: { product_items: [{ quantity: 2, product_retailer_id: 'tea' }] } }, '[order: 2 × tea]'],
    [{ type: 'button', button: { text: 'Yes', payload: 'yes' } }, 'Yes'],
    [{ type: 'interactive', interactive: { button_reply: { id: 'x', title: 'No' } } }, 'No'],
    [{ type: 'interactive', interactive: { button_reply: { id: 'a:ap_1', title: 'Allow' } } }, '/approve ap_1'],
    [{ type: 'interactive', interactive: { button_reply: { id: 'd:ap_1', title: 'Deny' } } }, '/deny ap_1'],
    [{ type: 'audio', audio: { id: 'voice-1', voice: true } }, ''],
    [{ type: 'image', image: { id: 'image-1', caption: 'see' } }, 'see'],
  ])('puts a kind without a text into words: %j', (fields, content) => {
    expect(read(write(fields)).content).toBe(content);
  });

  it('has the file that the platform keeps', () => {
    const document = { id: 'doc-1', filename: 'plan.pdf', mime_type: 'application/pdf' };
    const message = take(write({ type: 'document', document })).raw as RawMessage;
    expect(findFile(message)).toEqual({ id: 'doc-1', kind: 'file', name: 'plan.pdf' });
    expect(findFile(take(write({ type: 'text', text: { body: 'hi' } })).raw as RawMessage)).toBeUndefined();
  });

  it('that is an edit changes its message, and so does a deletion', () => {
    const edit = { original_message_id: 'wamid.1', message: { type: 'text', text: { body: 'after' } } };
    const edited = write({ type: 'edit', edit });
    const messageId = 'whatsapp:wamid.1';
    expect(take(edited)).toMatchObject({
      id: 'whatsapp:wamid.1:edit:1795694400',
      change: { kind: 'edit', messageId },
      visible: [{ body: 'after' }],
    });
    expect(read(edited).content).toBe('after');
    expect(take(write({ type: 'revoke', revoke: { original_message_id: 'wamid.1' } }))).toMatchObject({
      id: 'whatsapp:wamid.1:deleted',
      change: { kind: 'deletion', messageId },
    });
  });

  it('names the person by all IDs', () => {
    expect(take(write({ type: 'text', text: { body: 'hi' } }))).toMatchObject({
      sender: 'US.1349120000000000001',
      aliases: ['15550001001'],
    });
    const reaction = { message_id: 'wamid.OUT60', emoji: '👍' };
    expect(take(write({ type: 'reaction', reaction })).reaction).toMatchObject({ action: 'added', emoji: '👍' });
  });

  it('moves a person who has another number', () => {
    const system = { type: 'user_changed_number', wa_id: '15550001009' };
    expect(write({ type: 'system', system })).toEqual({ kind: 'moved', from: '15550001001', to: '15550001009' });
    expect(write({ type: 'system', system: { type: 'other' } })?.kind).toBe('ignored');
  });

  it.each([
    ['5215512345678', '525512345678'],
    ['5491123456789', '541123456789'],
    ['5511987654321', '551187654321'],
  ])('names a number in both of its forms: %s', (long, short) => {
    expect([namesOf({ number: long }), namesOf({ number: short })]).toEqual([
      [long, short],
      [short, long],
    ]);
    expect(namesOf({ number: '4930123456', userId: 'DE.1' })).toEqual(['DE.1', '4930123456']);
  });
});
