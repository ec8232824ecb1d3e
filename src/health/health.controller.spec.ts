import type { IncomingMessage } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import { AuthService } from '../auth/index.js';
import { AgentsService } from '../core/agents/agents.service.js';
import type { AccountState } from '../core/channels/channel-account.js';
import { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import { ConnectedChannels } from '../core/connections/connected-channels.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { MemoryBudgetService } from '../core/limits/memory-budget.service.js';
import { loadSettings } from '../settings.js';
import { LOCAL_OPERATOR, type Principal } from '../core/identity/principal.js';
import { PhaseService, type Phase } from '../core/phase/phase.service.js';
import { ReachService } from '../core/reach/reach.service.js';
import { AdminStore, QueueStore, Store } from '../core/store/index.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';
import { AgentRuntime } from '../core/turns/agent-runtime.js';
import { GatewayError, type Scope } from '../protocol/index.js';
import { ManualClock } from '../testing/index.js';
import { HealthController } from './health.controller.js';
import { CHECK_TIMEOUT_MS, HealthIndicators } from './health-indicators.js';
import { LastBackupService } from '../core/housekeeping/last-backup.service.js';
import { LoopDelay } from './loop-delay.service.js';
import { StoreDisk } from './store-disk.js';

const unavailable = () =>
  Promise.reject(new GatewayError('STORE_UNAVAILABLE', {}, { cause: new Error('ENOSPC /secret/path') }));
const never = () => new Promise<never>(() => {});

/** The parts of a gateway that the health checks use, with values set by the test. */
class Parts {
  readonly clock = new ManualClock();
  readonly lifecycle = new PhaseService(this.clock);
  readonly config = new ConfigStoreService(
    loadSettings({ OPENCLAW_QUEUE_MAX_TOTAL: '10' }, {}, '/nowhere'),
    new SilentLogs(),
  );
  readonly reach = new ReachService(this.config);
  check: () => Promise<void> = () => Promise.resolve();
  checks = 0;
  isDead = false;
  count: QueueStore['countQueue'] = (since) => {
    this.askedSince = since;
    return Promise.resolve({ queued: 4, running: 2, activeSessions: 3 });
  };
  askedSince = 0;
  readonly states = new Map<string, Partial<AccountState>>([['telegram', { state: 'connected' }]]);
  brokenChannels: readonly string[] = [];
  agentProblem: string | undefined;
  loopProblem: string | undefined;
  backupProblem: string | undefined;
  diskProblem: () => Promise<string | undefined> = async () => undefined;
  deadLetters: Readonly<Record<string, number>> = {};
  isMemoryUsedUp = false;
  caller: Principal = LOCAL_OPERATOR;
}

let app: INestApplication | undefined;

async function open(parts: Parts): Promise<ReturnType<typeof request>> {
  const fakes: [unknown, unknown][] = [
    [Clock, parts.clock],
    [PhaseService, parts.lifecycle],
    [ConfigStoreService, parts.config],
    [ReachService, parts.reach],
    [Store, { check: () => (parts.checks++, parts.check()), isDead: parts.isDead }],
    [QueueStore, { countQueue: (since: number) => parts.count(since) }],
    [
      AdminStore,
      {
        listWaitingMessages: async ({ tenant }: { tenant: string }) => ({ waiting: tenant === 'acme' ? 1 : 9 }),
        countActiveSessions: async ({ tenant }: { tenant: string }) => (tenant === 'acme' ? 2 : 9),
      },
    ],
    [ToolRegistryService, { list: () => [{ name: 'time_now' }, { name: 'echo' }] }],
    [MemoryBudgetService, { wasReached: parts.isMemoryUsedUp }],
    [
      ChannelManagerService,
      {
        states: parts.states,
        listBroken: () => parts.brokenChannels,
        countDeadLetters: async () => parts.deadLetters,
      },
    ],
    [AgentsService, { list: () => [{ id: 'main' }] }],
    [AgentRuntime, { findProblem: () => parts.agentProblem }],
    [LoopDelay, { problem: parts.loopProblem }],
    [StoreDisk, { findProblem: () => parts.diskProblem() }],
    [LastBackupService, { problem: parts.backupProblem }],
    [ConnectedChannels, { list: () => ['telegram', 'whatsapp'] }],
    [
      AuthService,
      {
        find: async (r: IncomingMessage) => (r.headers.authorization === undefined ? undefined : parts.caller),
      },
    ],
  ];
  const testing = await Test.createTestingModule({
    imports: [TerminusModule.forRoot({ logger: false })],
    controllers: [HealthController],
    providers: [
      HealthIndicators,
      ...fakes.map(([provide, useValue]) => ({ provide: provide as typeof Clock, useValue })),
    ],
  }).compile();
  app = testing.createNestApplication();
  await app.listen(0, '127.0.0.1');
  return request(await app.getUrl());
}

function inPhase(phase: Phase): Parts {
  const parts = new Parts();
  parts.lifecycle.moveTo(phase);
  return parts;
}

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe('the probes', () => {
  it.each<[Phase, live: number, ready: number, startup: number]>([
    ['starting', 200, 503, 503],
    ['live', 200, 503, 503],
    ['ready', 200, 200, 200],
    ['draining', 200, 503, 200],
    ['stopped', 503, 503, 200],
  ])('[L-12] are correct while the gateway is %s', async (phase, live, ready, startup) => {
    const http = await open(inPhase(phase));
    const answers = [
      await http.get('/health/live'),
      await http.get('/health/ready'),
      await http.get('/health/startup'),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([live, ready, startup]);
    for (const answer of answers) expect(answer.body).toMatchObject({ details: { lifecycle: { phase } } });
  });

  it('[L-12] readiness fails at once when a drain begins, and stays so', async () => {
    const parts = inPhase('ready');
    const http = await open(parts);
    expect((await http.get('/health/ready')).status).toBe(200);
    parts.lifecycle.moveTo('draining');
    const answer = await http.get('/health/ready');
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ status: 'error', error: { lifecycle: { status: 'down', phase: 'draining' } } });
  });

  it('[L-18] liveness fails when the store is dead, which only a restart repairs', async () => {
    const parts = new Parts();
    parts.lifecycle.moveTo('ready');
    parts.isDead = true;
    const http = await open(parts);
    expect((await http.get('/health/live')).status).toBe(503);
  });

  it('[L-13] readiness fails while the store cannot commit, without a reason, and liveness does not', async () => {
    const parts = inPhase('ready');
    parts.check = unavailable;
    const http = await open(parts);
    const ready = await http.get('/health/ready');
    expect(ready.status).toBe(503);
    expect(ready.body).toMatchObject({ error: { store: { status: 'down', message: 'the store cannot commit' } } });
    expect(JSON.stringify(ready.body)).not.toContain('secret');
    expect((await http.get('/health/live')).status).toBe(200);
  });

  it('[L-13] a store that does not respond is down, and is not waited for', async () => {
    const parts = inPhase('ready');
    parts.check = never;
    const http = await open(parts);
    expect((await http.get('/health/ready')).status).toBe(503);
  });

  it('concurrent probes share one commit', async () => {
    const parts = inPhase('ready');
    const http = await open(parts);
    await Promise.all(Array.from({ length: 20 }, () => http.get('/health/ready')));
    expect(parts.checks).toBe(1);
  });
});

describe('GET /health', () => {
  const known = { Authorization: 'Bearer whatever' };

  it('[L-10] returns the specified body to authenticated callers', async () => {
    const parts = inPhase('ready');
    parts.clock.advance(3_600_999);
    const http = await open(parts);
    const answer = await http.get('/health').set(known);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      status: 'healthy',
      uptime_seconds: 3_600,
      connected_channels: ['telegram', 'whatsapp'],
      active_sessions: 3,
      queued_messages: 4,
      registered_tools: 2,
      memory_usage_mb: expect.any(Number) as number,
    });
    expect((answer.body as { memory_usage_mb: number }).memory_usage_mb).toBeGreaterThan(10);
  });

  it('[TN-15] counts what is of the tenant for its credentials', async () => {
    const parts = inPhase('ready');
    parts.caller = { ...LOCAL_OPERATOR, tenant: 'acme' };
    const http = await open(parts);
    expect((await http.get('/health').set(known)).body).toMatchObject({ active_sessions: 2, queued_messages: 1 });
  });

  it('[L-10] counts sessions as active for five minutes', async () => {
    const parts = inPhase('ready');
    const http = await open(parts);
    await http.get('/health').set(known);
    expect(parts.clock.now() - parts.askedSince).toBe(300_000);
  });

  it('[L-02] returns only status and uptime to other callers', async () => {
    const http = await open(inPhase('ready'));
    const answer = await http.get('/health');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ status: 'healthy', uptime_seconds: 0 });
  });

  it.each<[Phase, string]>([
    ['live', 'degraded'],
    ['ready', 'healthy'],
    ['draining', 'draining'],
    ['stopped', 'draining'],
  ])('[L-11] while %s the status is %s, with HTTP 200', async (phase, status) => {
    const http = await open(inPhase(phase));
    const answer = await http.get('/health');
    expect([answer.status, (answer.body as { status: string }).status]).toEqual([200, status]);
  });

  it('[L-11] is degraded while the store cannot commit, and returns the known values', async () => {
    const parts = inPhase('ready');
    parts.check = unavailable;
    parts.count = unavailable;
    const http = await open(parts);
    const answer = await http.get('/health').set(known);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ status: 'degraded', registered_tools: 2 });
    expect(answer.body).not.toHaveProperty('queued_messages');
  });

  it('[L-10] does not wait for counts that do not arrive', async () => {
    const parts = inPhase('ready');
    const counting = new Promise<void>((resolve) => {
      // The first call is for the status, the second for the report.
      let asked = 0;
      parts.count = () => {
        asked++;
        if (asked === 2) resolve();
        return asked === 1 ? Promise.resolve({ queued: 0, running: 0, activeSessions: 0 }) : never();
      };
    });
    const http = await open(parts);
    const answering = http
      .get('/health')
      .set(known)
      .then((answer) => answer.body as object);
    await counting;
    await parts.clock.advanceAsync(CHECK_TIMEOUT_MS);
    expect(await answering).toMatchObject({ status: 'healthy', registered_tools: 2 });
  });

  it('[N-14] is degraded after connections held as much as they may', async () => {
    const parts = inPhase('ready');
    parts.isMemoryUsedUp = true;
    const http = await open(parts);
    expect((await http.get('/health')).body).toMatchObject({ status: 'degraded' });
    expect((await http.get('/health/ready')).status).toBe(200);
  });

  it('[L-11] is degraded while the queue has no room', async () => {
    const parts = inPhase('ready');
    parts.count = () => Promise.resolve({ queued: 8, running: 2, activeSessions: 1 });
    const http = await open(parts);
    expect((await http.get('/health')).body).toMatchObject({ status: 'degraded' });
  });

  it.each<[string, readonly string[], Readonly<Record<string, number>>, status: string]>([
    ['people cannot reach the agent by a channel', ['telegram'], {}, 'degraded'],
    ['a reply was given up', [], { telegram: 1 }, 'degraded'],
    ['all channels work', [], {}, 'healthy'],
  ])('[V-13] knows when %s', async (_, broken, deadLetters, status) => {
    const parts = inPhase('ready');
    parts.brokenChannels = broken;
    parts.deadLetters = deadLetters;
    expect((await (await open(parts)).get('/health')).body).toMatchObject({ status });
  });

  it.each<[part: string, break_: (parts: Parts) => void, reason: string]>([
    ['store', (parts) => (parts.check = unavailable), 'the store cannot commit'],
    ['queue', (parts) => (parts.count = unavailable), 'the queue cannot be read'],
    ['memory', (parts) => (parts.isMemoryUsedUp = true), 'limits.buffered_bytes was reached within the last minute'],
    ['event loop', (parts) => (parts.loopProblem = 'the event loop was blocked'), 'the event loop was blocked'],
    ['backup', (parts) => (parts.backupProblem = 'the last backup is old'), 'the last backup is old'],
    ['disk', (parts) => (parts.diskProblem = async () => 'the disk is full'), 'the disk is full'],
    ['agent', (parts) => (parts.agentProblem = 'no model answers'), 'no model answers'],
    ['reach', (parts) => parts.reach.note({ problem: 'run tailscale up' }), 'run tailscale up'],
    [
      'channels',
      (parts) => ((parts.brokenChannels = ['slack']), (parts.deadLetters = { telegram: 2 })),
      'the channel slack is not connected; the channel telegram has dead letters: 2',
    ],
  ])('[L-22] says why it is degraded: %s', async (_, breakPart, reason) => {
    const parts = inPhase('ready');
    breakPart(parts);
    const http = await open(parts);
    expect((await http.get('/health').set(known)).body).toMatchObject({ status: 'degraded', reasons: [reason] });
    expect((await http.get('/health')).body).toEqual({ status: 'degraded', uptime_seconds: 0 });
    expect((await http.get('/health/live')).status).toBe(200);
    expect((await http.get('/health/ready')).status).toBe(reason === 'the store cannot commit' ? 503 : 200);
  });

  it('[L-22] does not say it to those who may not administer, and to tenants', async () => {
    const parts = inPhase('ready');
    parts.agentProblem = 'no model answers';
    const http = await open(parts);
    for (const changed of [{ scopes: new Set<Scope>(['sessions:read']) }, { tenant: 'acme' }]) {
      parts.caller = { ...LOCAL_OPERATOR, ...changed };
      expect((await http.get('/health').set(known)).body).not.toHaveProperty('reasons');
    }
  });
});
