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
