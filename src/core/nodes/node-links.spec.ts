import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import type { ConnectionManagerService } from '../connections/connection-manager.service.js';
import type { NodeStore } from '../store/index.js';
import { SilentLogs } from '../telemetry/logs.js';
import { NodeLinksService } from './node-links.service.js';

it('[F-09] a node has five seconds to come back, from the opening of the port and not of the store', async () => {
  const clock = new ManualClock();
  const connections = { onRemove: () => {} } as Partial<ConnectionManagerService> as ConnectionManagerService;
  const links = new NodeLinksService(connections, {} as NodeStore, clock, new SilentLogs());
  // The store migrates.
  clock.advance(60_000);
  links.awaitNodes();
  let hasEnded = false;
  const waiting = links.awaitStart('lamp', new AbortController().signal).then(() => (hasEnded = true));
  await clock.advanceAsync(4_999);
  expect(hasEnded).toBe(false);
  await clock.advanceAsync(1);
  await waiting;
});
