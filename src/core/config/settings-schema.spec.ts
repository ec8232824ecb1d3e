import { describe, expect, it } from 'vitest';
import { Module } from '@nestjs/common';
import Type from 'typebox';
import { composeSettings } from '../../settings.js';
import { loadSections } from './load-settings.js';
import { defineSettings, type SettingsReader } from './section.js';
import { createSettingsTree } from './settings-tree.js';
import { findSections, UseSettings } from './use-settings.js';

const text = (options = {}) => Type.Optional(Type.String({ description: 'Some text.', ...options }));
const load = (sections: Parameters<typeof findSections>[0], document: unknown, environment = {}) =>
  loadSections(composeSettings().with(findSections(sections)), {
    environment,
    overrides: {},
    privateFiles: [],
    secretFiles: [],
    document,
    folder: '/nonexistent',
    faults: [],
  });

const driver = defineSettings({ 'channels.acme.token': text({ 'x-secret': true }) });

@UseSettings(driver)
class AcmeDriver {}

@Module({ providers: [{ provide: 'other', useValue: 1 }, AcmeDriver] })
class DriverModule {}

@Module({ imports: [DriverModule] })
class AcmeModule {}

describe('the settings of a team', () => {
  it('[P-16] are found on modules and providers, in all forms of imports', () => {
    expect(findSections([AcmeModule])).toEqual([driver]);
    expect(findSections([{ module: class {}, imports: [{ forwardRef: () => DriverModule }], providers: [] }])).toEqual([
      driver,
    ]);
    expect(findSections([class {}])).toEqual([]);
  });

  it('[P-16] can be below a map of the gateway, next to its own settings', () => {
    const document = {
      channels: { acme: { token: 'secret', busy_policy: 'steer' }, other: { busy_policy: 'collect' } },
    };
    const { values } = load([AcmeModule], document);
    expect((values as unknown as Record<string, unknown>)['channels.acme.token']).toBe('secret');
    expect(values.channels).toEqual({ acme: { busy_policy: 'steer' }, other: { busy_policy: 'collect' } });
    const environment = { OPENCLAW_CHANNELS_ACME_TOKEN: 'from the environment' };
    expect(load([AcmeModule], document, environment).sources.get('channels.acme.token')).toBe('environment');
    expect(() => load([AcmeModule], { channels: { acme: { tokn: 'x' } } })).toThrow(
      /channels\.acme\.tokn: is not a setting of the channel acme/,
    );
  });

  it('[P-07] reserve the principal of a driver that runs here', () => {
    const entry = { token: 'a-token-of-sixteen-chars', principal: 'channel:acme', role: 'channel' };
    expect(() => load([AcmeModule], { auth: { tokens: [entry] } })).toThrow('the principal channel:acme is reserved');
    expect(() => load([], { auth: { tokens: [entry] } })).not.toThrow();
  });

  it('[P-05] are unknown without their module, and a misspelt name gets a suggestion', () => {
    expect(() => load([], { acme: { dice: 1 } })).toThrow(/acme: unknown setting; known here: gateway, /);
    expect(() => load([], { gateway: { hots: 'x' } })).toThrow(/known here: host, .*; did you mean host\?/);
  });

  it.each([
    ['a key of the gateway', { 'gateway.port': text() }, 'gateway.port: is declared by two parts'],
    [
      'its environment variable',
      { 'gateway.max.frame.bytes': text() },
      'the same environment variable as gateway.max_frame',
    ],
    [
      'a key below a value',
      { 'agent.name.first': text() },
      'agent.name.first: is below agent.name, which is not a map',
    ],
  ])('[P-17] cannot declare %s', (_, properties, message) => {
    expect(() => composeSettings().with([defineSettings(properties)])).toThrow(message);
  });
});

describe('a rule', () => {
  it('[P-05] is skipped if it reads a setting with a fault, and the others still run', () => {
    const seen: unknown[] = [];
    const reads = (get: SettingsReader) => {
      seen.push(get('queue.max_total'));
      return [];
    };
    const fails = () => [{ key: 'acme', message: 'is wrong' }];
    const schema = composeSettings().with([defineSettings({}, { rules: [reads, fails] })]);
    const start = (queue: unknown) =>
      loadSections(schema, {
        environment: {},
        overrides: {},
        privateFiles: [],
        secretFiles: [],
        document: { queue },
        folder: '/nonexistent',
        faults: [],
      });
    expect(() => start({ max_total: 'many' })).toThrow(/2 faults[^]*queue\.max_total[^]*acme: is wrong/);
    expect(seen).toEqual([]);
    expect(() => start({ max_total: 7 })).toThrow('acme: is wrong');
    expect(seen).toEqual([7]);
  });
});

describe('the tree for ConfigService', () => {
  it('reads the current values and has no enumerable keys', () => {
    const values: Record<string, unknown> = { 'agent.name': 'ada', 'channels.acme.token': 't' };
    const tree = createSettingsTree(composeSettings().with([driver]), (key) => values[key] as never);
    const agent = tree['agent'] as Record<string, unknown>;
    expect(agent['name']).toBe('ada');
    values['agent.name'] = 'bob';
    expect(agent['name']).toBe('bob');
    expect(tree['channels.acme.token']).toBe('t');
    expect(Object.keys(tree)).toEqual([]);
  });
});
