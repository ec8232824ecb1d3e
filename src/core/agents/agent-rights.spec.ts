import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../settings.js';
import type { SettingsReader } from '../config/section.js';
import { canChangeRights } from './agent-rights.js';

function read(settings: Record<string, unknown>): SettingsReader {
  const { values } = loadSettings(
    {
      NODE_ENV: 'production',
      ...Object.fromEntries(
        Object.entries(settings).map(([key, value]) => [`OPENCLAW_${key.toUpperCase()}`, JSON.stringify(value)]),
      ),
    },
    {},
    '/nonexistent',
  );
  return (key) => values[key];
}

const main = { tools: { deny: ['http.*'] } };
const ops = { permissions: ['shell'] };
const toOps = { agent: 'ops', sender: 'ada' };

describe('a change of agents or bindings', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['a binding', { agents: { ops } }, { agents: { ops }, bindings: [toOps] }],
    ['a removed binding', { agents: { ops }, bindings: [toOps] }, { agents: { ops } }],
    ['a new agent without what main is denied', { agents: { main } }, { agents: { main, evil: {} } }],
    [
      'a new default agent without what main is denied',
      { agents: { main } },
      { agents: { main, evil: { default: true } } },
    ],
    ['another default agent', { agents: { ops } }, { agents: { ops: { ...ops, default: true } } }],
    ['a removed agent', { agents: { ops: { ...ops, default: true } } }, {}],
    [
      'a binding of another tenant',
      { agents: { a: { tenant: 'acme' }, b: { tenant: 'acme', permissions: ['x'] } } },
      {
        agents: { a: { tenant: 'acme' }, b: { tenant: 'acme', permissions: ['x'] } },
        bindings: [{ agent: 'b', sender: 'ada' }],
      },
    ],
  ])('can give other rights: %s', (_, before, after) => {
    expect(canChangeRights(read(before), read(after))).toBe(true);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['no difference', { agents: { ops }, bindings: [toOps] }, { agents: { ops }, bindings: [toOps] }],
    ['another name', { agents: { ops } }, { agents: { ops: { ...ops, name: 'olga' } } }],
    ['an agent like main', {}, { agents: { sales: { default: true } } }],
    [
      'a binding to an agent like main',
      { agents: { ops: {} } },
      { agents: { ops: {} }, bindings: [{ agent: 'ops', channel: 'slack' }] },
    ],
    [
      'the same rights in another order',
      { agents: { main: { permissions: ['a', 'b'] } } },
      { agents: { main: { permissions: ['b', 'a'] }, twin: { permissions: ['a', 'b'] } } },
    ],
    [
      'a binding in a tenant whose agents are alike',
      { agents: { ops: { ...ops, tenant: 'acme' }, sales: {} } },
      { agents: { ops: { ...ops, tenant: 'acme' }, sales: {} }, bindings: [{ agent: 'sales', sender: 'ada' }] },
    ],
  ])('cannot give other rights: %s', (_, before, after) => {
    expect(canChangeRights(read(before), read(after))).toBe(false);
  });
});
