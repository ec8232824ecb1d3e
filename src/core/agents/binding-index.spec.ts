import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BINDING_FIELDS, type BindingField, type BindingSetting } from './agent-setting.js';
import { BindingIndex, type BoundMessage } from './binding-index.js';

/** The fields of a message, read without the index: `channel` has two readings, the account is the rest of its name. */
function valuesOf(message: BoundMessage): Readonly<Record<Exclude<BindingField, 'channel'>, string | undefined>> {
  const [, account = 'default'] = /\.(.*)$/s.exec(message.channel) ?? [];
  const { thread_id, group_id, queue, sender, principal, tenant } = message;
  return { thread_id, group_id, queue, sender, account, principal, tenant };
}

function matches(binding: BindingSetting, message: BoundMessage): boolean {
  return BINDING_FIELDS.every((field) => {
    const wanted = binding[field];
    if (wanted === undefined) return true;
    if (field !== 'channel') return wanted === valuesOf(message)[field];
    return wanted === message.channel || wanted === message.channel.split('.', 1)[0];
  });
}

/** Whether `one` is more specific than `other`; both match. */
function isMoreSpecific(one: BindingSetting, other: BindingSetting, message: BoundMessage): boolean {
  for (const field of BINDING_FIELDS) {
    if ((one[field] === undefined) !== (other[field] === undefined)) return one[field] !== undefined;
    if (field === 'channel' && one.channel !== other.channel) return one.channel === message.channel;
  }
  throw new Error('two equal bindings');
}

/** The page, read word by word: all that match, the most specific one first. */
function rankByHand(bindings: readonly BindingSetting[], message: BoundMessage): number[] {
  return bindings
    .map((binding, index) => ({ binding, index }))
    .filter(({ binding }) => matches(binding, message))
    .sort((a, b) => (isMoreSpecific(a.binding, b.binding, message) ? -1 : 1))
    .map(({ index }) => index);
}

const values = {
  channel: fc.constantFrom('chat', 'chat.a', 'chat.b', 'chat.a.x', 'mail', 'mail.default', '.a', 'a.'),
  account: fc.constantFrom('a', 'b', 'a.x', 'default', ''),
  name: fc.constantFrom('1', '2', '__proto__'),
};
const someFields = {
  group_id: values.name,
  thread_id: values.name,
  sender: values.name,
  queue: values.name,
  principal: values.name,
  tenant: fc.constant('acme'),
};
const aBinding = fc.record(
  { agent: fc.constantFrom('main', 'ops'), channel: values.channel, account: values.account, ...someFields },
  { requiredKeys: ['agent'] },
);
const bindings = fc.uniqueArray(aBinding, {
  maxLength: 40,
  selector: (fields) => JSON.stringify(BINDING_FIELDS.map((field) => fields[field] ?? null)),
});
const message = fc.record(
  { channel: values.channel, ...someFields },
  { requiredKeys: ['channel', 'sender', 'principal', 'tenant'] },
);

describe('the binding of a message', () => {
  it('[Z-01] is the most specific one, and all that match are listed in that order, for random bindings', () => {
    fc.assert(
      fc.property(bindings, message, (list, received) => {
        const index = new BindingIndex(list.map((binding, i) => ({ binding, index: i, tenant: 'acme' })));
        const byHand = rankByHand(list, received);
        expect(index.find(received)?.index).toBe(byHand[0]);
        expect(index.list(received).map((bound) => bound.index)).toEqual(byHand);
      }),
      { numRuns: 2_000 },
    );
  });

  it('[Z-01] is one of its own tenant, also when another tenant has an equal one', () => {
    const index = new BindingIndex([
      { binding: { agent: 'a', channel: 'chat' }, index: 0, tenant: 'one' },
      { binding: { agent: 'b', channel: 'chat' }, index: 1, tenant: 'two' },
    ]);
    const from = (tenant: string) =>
      index.find({ tenant, channel: 'chat', sender: 's', principal: 'p' })?.binding.agent;
    expect(['one', 'two', 'three'].map(from)).toEqual(['a', 'b', undefined]);
  });
});
