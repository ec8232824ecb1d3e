import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import type { AgentsService } from '../agents/agents.service.js';
import type { DeliveryService } from '../delivery/delivery.service.js';
import type { LogWriterService } from '../delivery/log-writer.service.js';
import type { Claim, TurnRecord, TurnStore } from '../store/index.js';
import { SilentLogs } from '../telemetry/logs.js';
import { RunSignals } from './run-signals.js';
import { MAX_RESUMED, TurnFactoryService } from './turn-factory.service.js';

it('reads a few interrupted turns at a time, and none for a first run', async () => {
  const reading: ((record: TurnRecord) => void)[] = [];
  const store = { readTurn: () => new Promise<TurnRecord>((resolve) => reading.push(resolve)) } as unknown as TurnStore;
  const [logWriter, delivery] = [{} as LogWriterService, {} as DeliveryService];
  const agents = { findFor: () => undefined } as unknown as AgentsService;
  const turns = new TurnFactoryService(store, logWriter, delivery, new ManualClock(), agents, new SilentLogs());
  const signals = new RunSignals(new AbortController().signal);
  const claim = (attempt: number) => ({ attempt, message: { messageRef: 'm' }, session: { headSeq: 0 } }) as Claim;
  await turns.create(claim(1), signals);
  const created = Array.from({ length: MAX_RESUMED + 1 }, () => turns.create(claim(2), signals));
  await Promise.resolve();
  expect(reading).toHaveLength(MAX_RESUMED);
  reading.shift()?.({ steps: [], frames: [] });
  await created[0];
  await expect.poll(() => reading.length).toBe(MAX_RESUMED);
  for (const done of reading) done({ steps: [], frames: [] });
  await Promise.all(created);
  signals.dispose();
});
