import Type from 'typebox';
import { describe, expect, it } from 'vitest';
import { FrameTypeRegistry } from './frame-type.registry.js';

describe('FrameTypeRegistry', () => {
  const payload = Type.Object({});

  it('returns the types that an extension registers', () => {
    const registry = new FrameTypeRegistry();
    registry.register('acme.order.placed', { payload, scope: 'tools:call' });
    expect(registry.find('acme.order.placed')).toEqual({ payload, scope: 'tools:call' });
    expect(registry.find('acme.other')).toBeUndefined();
  });

  it.each(['message_in', 'ping', 'acme', 'acme.', '.acme', 'acme..x', 'Acme.X', 'a b.c', ''])(
    'refuses the name %j',
    (name) => {
      expect(() => new FrameTypeRegistry().register(name, { payload })).toThrow('vendor.name');
    },
  );

  it('refuses a name that is taken', () => {
    const registry = new FrameTypeRegistry();
    registry.register('acme.order', { payload });
    expect(() => registry.register('acme.order', { payload })).toThrow('"acme.order" is registered twice');
  });
});
