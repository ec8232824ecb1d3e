import { expect, it } from 'vitest';
import { GatewayError } from '../../protocol/domain.js';
import { aPayload, ManualClock } from '../../testing/index.js';
import type { DeliveryService } from '../delivery/delivery.service.js';
import type { IncomingMessage, MessageIntakeService } from '../intake/message-intake.service.js';
import type { AcceptedMessage, Done } from '../store/index.js';
import { SilentLogs } from '../telemetry/logs.js';
import { NoMetrics } from '../telemetry/metrics.js';
import type { Connection, ConnectionEvent } from './connection.js';
import { ConversationWriterService } from './conversation-writer.service.js';
import { RefusalsService } from './refusals.service.js';

it('[M-15] responds to the messages of a connection in their order, refusals included', async () => {
  const commits: Done<AcceptedMessage>[] = [];
  const submitThen = (_origin: unknown, { id }: IncomingMessage, done: Done<AcceptedMessage>) => {
    if (id === 'c') throw new GatewayError('RATE_LIMITED', { limit: 'messages per minute' });
    commits.push(done);
  };
  const logs = new SilentLogs();
  const refusals = new RefusalsService(new NoMetrics(), logs);
  const writer = new ConversationWriterService(
    { submitThen } as unknown as MessageIntakeService,
    { checkRoom: () => {}, subscribe: () => {} } as unknown as DeliveryService,
    refusals,
    new ManualClock(),
    new NoMetrics(),
    logs,
  );
  const responses: unknown[] = [];
  let held = 0;
  const connection = {
    beginRequest: () => (held++, 1),
    endRequest: (bytes) => void (held -= bytes),
    send(event: ConnectionEvent) {
      if (event.kind === 'accepted' || event.kind === 'refused') responses.push([event.kind, event.requestId]);
    },
  } as Connection;
  const submit = (id: string) => writer.submit(connection, { id, payload: aPayload() });
  await submit('a');
  await submit('b');
  const refused = Promise.resolve(submit('c')).catch((error: unknown) =>
    refusals.refuse(connection, error, { id: 'c' }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(responses).toEqual([]);
  commits[0]?.({ kind: 'accepted' } as unknown as AcceptedMessage);
  commits[1]?.(new GatewayError('QUEUE_FULL', { limit: 'queue.max_total', allowed: 1 }));
  await refused;
  expect(responses).toEqual([
    ['accepted', 'a'],
    ['refused', 'b'],
    ['refused', 'c'],
  ]);
  expect(held).toBe(0);
});
