import { expect, it } from 'vitest';
import { DeliveryError } from '../../core/channels/driver.js';
import { toRef } from './verdict.js';

it('a response that names no message confirms nothing', () => {
  for (const id of [undefined, null, '', 5])
    expect(() => toRef(id)).toThrow(new DeliveryError('unknown', 'the response names no message'));
  expect(toRef('1.000001')).toBe('1.000001');
});
