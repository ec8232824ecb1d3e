import { expect, it } from 'vitest';
import { Slots } from './slots.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('runs as many jobs at a time as there are slots, the others in the order of their arrival', async () => {
  const slots = new Slots(2);
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const all = gates.map(({ promise }, n) =>
    slots.run(() => {
      begun.push(n);
      return promise;
    }),
  );
  await turn();
  expect(begun).toEqual([0, 1]);
  gates[1]?.reject(new Error('a job that fails'));
  await expect(all[1]).rejects.toThrow('a job that fails');
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  gates[0]?.resolve();
  await turn();
  expect(begun).toEqual([0, 1, 2, 3]);
  for (const gate of gates) gate.resolve();
  await Promise.all([all[0], all[2], all[3]]);
});
