import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Bag } from './bag.js';

it('a bag has the members that were added and not deleted, in whatever order they come and go', () => {
  // Few numbers, so that each comes and goes many times.
  const steps = fc.array(fc.nat(4), { minLength: 20, maxLength: 60 });
  fc.assert(
    fc.property(steps, (numbers) => {
      const bag = new Bag<{ place: number; number: number }>();
      const model = new Map<number, { place: number; number: number }>();
      for (const number of numbers) {
        const known = model.get(number);
        if (known) bag.delete(known);
        const member = { place: -1, number };
        if (known) model.delete(number);
        else bag.add(member);
        if (!known) model.set(number, member);
        expect(bag.size).toBe(model.size);
        expect(new Set(bag.list())).toEqual(new Set(model.values()));
        expect(bag.find((one) => one.number === number)).toBe(model.get(number));
      }
    }),
  );
});
