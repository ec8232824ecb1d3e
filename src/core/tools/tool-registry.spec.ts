import Type, { type TSchema } from 'typebox';
import { expect, it } from 'vitest';
import { anAgent, KeptLogs, ManualClock } from '../../testing/index.js';
import type { AuditStore } from '../store/index.js';
import { NoMetrics } from '../telemetry/metrics.js';
import type { ToolDefinition } from './tool.js';
import { ToolRegistryService, type ToolUser } from './tool-registry.service.js';

const config = { get: () => [] } as unknown as ConstructorParameters<typeof ToolRegistryService>[0];
const principals = { findToolPermissions: () => undefined, isGone: () => false };
const user = {
  session: { tenant: 'default', toolPermissions: [] },
  caller: {},
  agent: anAgent(),
} as unknown as ToolUser;
const aTool = (parameters: TSchema): ToolDefinition => ({
  name: 'acme.pay',
  description: 'Pays.',
  parameters,
  permissions: [],
  timeoutMs: 1_000,
  idempotent: true,
  requiresApproval: false,
  sandbox: false,
  handler: () => 'paid',
});

it('checks parameters against the schema of the tool that has the name now, not of a former one', () => {
  const registry = new ToolRegistryService(
    config,
    principals,
    new ManualClock(),
    {} as AuditStore,
    new NoMetrics(),
    new KeptLogs(),
  );
  registry.register(aTool(Type.Object({ euros: Type.Number() })));
  expect(registry.refuse('acme.pay', { euros: 1 }, user)).toBeUndefined();
  registry.unregister('acme.pay');
  registry.register(aTool(Type.Object({ cents: Type.Integer() })));
  expect(registry.refuse('acme.pay', { cents: 100 }, user)).toBeUndefined();
  expect(registry.refuse('acme.pay', { euros: 1 }, user)).toMatchObject({ code: 'TOOL_INVALID_PARAMETERS' });
});

it('fails the call alone whose result is not JSON, or nests too deeply', async () => {
  const registry = new ToolRegistryService(
    config,
    principals,
    new ManualClock(),
    {} as AuditStore,
    new NoMetrics(),
    new KeptLogs(),
  );
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const results: [string, unknown][] = [
    ['not JSON', cycle],
    ['not JSON', 1n],
    ['not JSON', () => 1],
    ['not JSON', { toJSON: () => JSON.parse('') as unknown }],
    ['deeper than 100', JSON.parse('['.repeat(102) + ']'.repeat(102))],
  ];
  for (const [n, [reason, result]] of results.entries()) {
    registry.register({ ...aTool(Type.Object({})), name: `acme.odd_${n}`, isWaiting: true, handler: () => result });
    const signal = new AbortController().signal;
    const context = { ...user, signal } as Parameters<typeof registry.execute>[2];
    const outcome = await registry.execute(`acme.odd_${n}`, {}, context);
    expect(outcome).toMatchObject({ ok: false, code: 'TOOL_FAILED' });
    expect(JSON.stringify(outcome)).toContain(reason);
  }
});

it('hides secrets of the settings in the reason of a failure, for the model and for people', async () => {
  const settings = { ...config, listSecrets: () => ['SUPERSECRETKEY', 'Bearer 0123456789ab'] };
  const registry = new ToolRegistryService(
    settings as unknown as typeof config,
    principals,
    new ManualClock(),
    {} as AuditStore,
    new NoMetrics(),
    new KeptLogs(),
  );
  const handler = () => Promise.reject(new Error('boom with key SUPERSECRETKEY and 0123456789ab for order 17'));
  registry.register({ ...aTool(Type.Object({})), isWaiting: true, handler });
  const context = { ...user, signal: new AbortController().signal } as Parameters<typeof registry.execute>[2];
  const outcome = await registry.execute('acme.pay', {}, context);
  expect(outcome).toMatchObject({ details: { reason: 'boom with key *** and *** for order 17' } });
  expect(JSON.stringify(outcome)).not.toMatch(/SUPERSECRETKEY|0123456789ab/);
});

it('says what of a thrown value can be read, and logs each failure', async () => {
  const logs = new KeptLogs();
  const settings = { ...config, listSecrets: () => [] } as unknown as typeof config;
  const registry = new ToolRegistryService(
    settings,
    principals,
    new ManualClock(),
    {} as AuditStore,
    new NoMetrics(),
    logs,
  );
  const throwing = (what: unknown) => () => {
    throw what;
  };
  const unreadable = Object.defineProperty(new Error(), 'message', {
    get() {
      throw new Error('no');
    },
  });
  const handlers: [string, () => unknown][] = [
    ['failed: [object Object]', throwing(Object.assign(new Error('x'), { message: { a: 1 } }))],
    ['failed: 1', throwing(1n)],
    ['failed: null', throwing(null)],
    ['something that cannot be read', throwing(unreadable)],
    ['something that cannot be read', throwing(Object.create(null))],
    ['something that cannot be read', throwing(new Proxy({}, { getPrototypeOf: () => JSON.parse('') as object }))],
    ['not JSON', () => new Proxy({}, { getPrototypeOf: () => JSON.parse('') as object })],
  ];
  for (const [n, [reason, handler]] of handlers.entries()) {
    registry.register({ ...aTool(Type.Object({})), name: `acme.odd_${n}`, isWaiting: true, handler });
    const context = { ...user, signal: new AbortController().signal } as Parameters<typeof registry.execute>[2];
    const outcome = await registry.execute(`acme.odd_${n}`, {}, context);
    expect(outcome).toMatchObject({ ok: false, message: expect.stringContaining(reason) as string });
    expect(logs.lines.filter((line) => line === 'warn a tool failed')).toHaveLength(n + 1);
  }
});
