import { beforeEach, describe, expect, it } from 'vitest';
import { inboundTable, type InboundType } from '../../protocol/index.js';
import type { ApprovalsService } from '../approvals/approvals.service.js';
import { MAX_BUFFERED_BYTES } from '../delivery/frame-reader.js';
import { LOCAL_OPERATOR } from '../identity/principal.js';
import type { IncomingMessage, MessageIntakeService } from '../intake/message-intake.service.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { SilentLogs } from '../telemetry/logs.js';
import { NoMetrics } from '../telemetry/metrics.js';
import type { ChannelStatusService } from './channel-status.service.js';
import type { Connection, ConnectionEvent, ExtensionEvent } from './connection.js';
import type { ConversationReaderService } from './conversation-reader.service.js';
import type { ConversationWriterService } from './conversation-writer.service.js';
import { MemoryConnection, type MemoryConnectionServices } from './memory-connection.js';
import { RefusalsService } from './refusals.service.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));
const anEvent = (name: string): ExtensionEvent => ({ kind: 'extension', type: 'acme.event', payload: { name } });
const aDelta = (text: string): ConnectionEvent => {
  const names = { sessionId: 's', messageId: 'i', messageRef: 'm', blockId: 'b' };
  return { kind: 'delta', ...names, blockType: 'text', text };
};
const aMessage = (id: string): IncomingMessage => ({ id, payload: { channel: 'c', sender: 's', content: 'x' } });

/** The gateway behind the connection. It records the messages it gets. */
class FakeServices implements MemoryConnectionServices {
  readonly submitted: string[] = [];
  readonly forgotten: Connection[] = [];
  readonly failures: string[] = [];
  pending: PromiseWithResolvers<void> | undefined;
  readonly writer = {
    submit: (_connection: Connection, { id }: IncomingMessage) => {
      this.submitted.push(id);
      return this.pending?.promise;
    },
  } as unknown as ConversationWriterService;
  /** Requests that reached a service other than the writer, as `SERVICE.METHOD`. */
  readonly requested: string[] = [];
  readonly reader = this.fake<ConversationReaderService>('reader');
  readonly intake = this.fake<MessageIntakeService>('intake');
  readonly approvals = this.fake<ApprovalsService>('approvals');
  readonly channels = this.fake<ChannelStatusService>('channels');
  readonly refusals = new RefusalsService(new NoMetrics(), new SilentLogs());
  readonly clock = new ManualClock();

  private fake<T extends object>(service: string): T {
    const get = (_: object, method: string) => async () => {
      this.requested.push(`${service}.${method}`);
      return { entries: [] };
    };
    return new Proxy({}, { get }) as T;
  }

  forget(connection: Connection): void {
    this.forgotten.push(connection);
  }

  noteFailure(_connection: Connection, error: unknown): void {
    this.failures.push(String(error));
  }
}

describe('MemoryConnection', () => {
  let services: FakeServices;
  let taken: ConnectionEvent[];
  let closes: string[];
  let gate: PromiseWithResolvers<void> | undefined;
  let connection: MemoryConnection;

  beforeEach(() => {
    services = new FakeServices();
    taken = [];
    closes = [];
    gate = undefined;
    connection = new MemoryConnection(
      {
        principal: LOCAL_OPERATOR,
        clientId: 'driver',
        take(event) {
          taken.push(event);
          return gate?.promise;
        },
        onClose: (reason) => closes.push(reason),
      },
      services,
    );
  });

  it('has a method for every inbound type of the wire but those of devices and of pages that show surfaces', async () => {
    const emoji = { channel: 'c', sender: 's', messageId: 'm', emoji: '👍', action: 'added' } as const;
    type OfOthers = 'node_register' | 'tool_result' | 'node_event' | 'canvas_state' | 'canvas_problem' | 'canvas_open';
    const methods: Record<Exclude<InboundType, OfOthers>, [expected: string, request: () => void]> = {
      message_in: ['writer.submit', () => connection.submit(aMessage('m'))],
      presence: [
        'intake.notePresence',
        () => connection.updatePresence('p', { channel: 'c', userId: 'u', status: 'typing' }),
      ],
      reaction: ['intake.react', () => connection.react('r', emoji)],
      channel_status: ['channels.update', () => connection.reportChannel('s', { channel: 'c', status: 'connected' })],
      resume: ['reader.resume', () => connection.resume('e')],
      delivered: ['reader.confirm', () => connection.confirm('d', 's', 1)],
      history: ['reader.readHistory', () => connection.readHistory('h', 's', 10)],
      cancel: ['intake.cancel', () => connection.cancel('c', { by: 'id', messageId: 'm' })],
      approval: [
        'approvals.decide',
        () => connection.decide('a', { approvalId: 'a', decision: 'allow', argumentsSha256: '0' }),
      ],
      // A connection in the process is alive as long as the gateway.
      ping: ['no request', () => services.requested.push('no request')],
    };
    const ofOthers: readonly InboundType[] = [
      'node_register',
      'tool_result',
      'node_event',
      'canvas_state',
      'canvas_problem',
      'canvas_open',
    ];
    const types = (Object.keys(inboundTable) as InboundType[]).filter((type) => !ofOthers.includes(type));
    for (const type of types as (keyof typeof methods)[]) {
      services.requested.length = services.submitted.length = 0;
      const [expected, request] = methods[type];
      request();
      await tick();
      expect([...services.submitted.map(() => 'writer.submit'), ...services.requested]).toEqual([expected]);
    }
  });

  it('gives the client one event after the other, each when the previous one was handled', async () => {
    gate = Promise.withResolvers();
    const [a, b] = [anEvent('a'), anEvent('b')];
    connection.send(a);
    connection.send(b);
    expect(taken).toEqual([]);
    await tick();
    expect(taken).toEqual([a]);
    gate.resolve();
    await tick();
    expect(taken).toEqual([a, b]);
    expect(connection.bufferedBytes).toBe(0);
  });

  it('counts unhandled bytes, and resolves whenWritable when the client has handled enough', async () => {
    gate = Promise.withResolvers();
    connection.send(aDelta('x'.repeat(MAX_BUFFERED_BYTES)));
    expect(connection.bufferedBytes).toBeGreaterThan(MAX_BUFFERED_BYTES);
    let isWritable = false;
    const writable = connection.whenWritable().then(() => (isWritable = true));
    await tick();
    expect(isWritable).toBe(false);
    gate.resolve();
    await writable;
  });

  it('handles the next request when the previous one has its place, and reports when too many wait', async () => {
    services.pending = Promise.withResolvers();
    for (let i = 0; i < 300; i++) connection.submit(aMessage(`m${i}`));
    expect(services.submitted).toEqual(['m0']);
    let isReady = false;
    const ready = connection.whenReady().then(() => (isReady = true));
    await tick();
    expect(isReady).toBe(false);
    services.pending.resolve();
    await ready;
    await tick();
    expect(services.submitted).toHaveLength(300);
  });

  it('refuses a request that fails, and continues', async () => {
    services.pending = Promise.withResolvers();
    connection.submit(aMessage('bad'));
    services.pending.reject(new Error('broken'));
    services.pending = undefined;
    connection.submit(aMessage('good'));
    await tick();
    await tick();
    expect(taken).toMatchObject([{ kind: 'refused', requestId: 'bad', error: { code: 'INTERNAL' } }]);
    expect(services.submitted).toEqual(['bad', 'good']);
  });

  it('gives the client the events before a close, then the reason, and accepts nothing more', async () => {
    connection.send(anEvent('last'));
    connection.close('restarting');
    connection.send(anEvent('late'));
    connection.submit(aMessage('late'));
    await tick();
    expect(taken).toEqual([anEvent('last')]);
    expect(closes).toEqual(['restarting']);
    expect(services.submitted).toEqual([]);
    expect(services.forgotten).toEqual([connection]);
  });

  it('ends when the client fails to handle an event, and harms nothing else', async () => {
    gate = Promise.withResolvers();
    connection.send(anEvent('a'));
    connection.send(anEvent('b'));
    await tick();
    gate.reject(new Error('a fault of the driver'));
    await tick();
    expect(taken).toEqual([anEvent('a')]);
    expect(closes).toEqual(['goingAway']);
    expect(services.failures).toEqual(['Error: a fault of the driver']);
    expect(services.forgotten).toEqual([connection]);
  });

  it('ends at once when the client handles nothing', async () => {
    gate = Promise.withResolvers();
    connection.send(anEvent('a'));
    await tick();
    connection.send(anEvent('b'));
    connection.close('slowReader');
    expect(closes).toEqual(['slowReader']);
    gate.resolve();
    await tick();
    expect(taken).toEqual([anEvent('a')]);
    expect(closes).toEqual(['slowReader']);
  });

  it('is removed when the client ends it, after its requests', async () => {
    services.pending = Promise.withResolvers();
    connection.submit(aMessage('a'));
    connection.submit(aMessage('b'));
    connection.end();
    expect(services.forgotten).toEqual([]);
    services.pending.resolve();
    await tick();
    expect(services.submitted).toEqual(['a', 'b']);
    expect(services.forgotten).toEqual([connection]);
    expect(closes).toEqual([]);
  });
});
