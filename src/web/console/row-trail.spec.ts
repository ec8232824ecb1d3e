import { expect, it } from 'vitest';
import { findNeighbour, leaveTrail } from './row-trail.js';

it('things of a list follow one another as its rows did, whatever their filters and fragments', () => {
  leaveTrail(['/console/nodes/a?tenant=x', '/console/nodes/b', '/console/nodes/c#1']);
  leaveTrail([]);
  expect(findNeighbour('/console/nodes/b', 1)).toBe('/console/nodes/c#1');
  expect(findNeighbour('/console/nodes/b', -1)).toBe('/console/nodes/a?tenant=x');
  expect(findNeighbour('/console/nodes/a', -1)).toBeUndefined();
  expect(findNeighbour('/console/nodes/c', 1)).toBeUndefined();
  expect(findNeighbour('/console/nodes/other', 1)).toBeUndefined();
});
