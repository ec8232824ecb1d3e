import { describe, expect, it } from 'vitest';
import { ConfigDraft, hasMask, type Config } from './config-draft.js';

function configOf(version: number, values: Readonly<Record<string, unknown>>): Config {
  const settings = Object.entries(values).map(([key, value]) => ({
    ...{ key, value, source: 'file', needs_restart: false, pending: false, scope: 'config:write', description: '' },
  }));
  return { version, settings };
}

function draftOf(values: Readonly<Record<string, unknown>>): ConfigDraft {
  const draft = new ConfigDraft();
  draft.rebase(configOf(3, values));
  return draft;
}

describe('ConfigDraft', () => {
  it('sends the changed keys and nothing else, at the version that it was read at', () => {
    const draft = draftOf({ 'agent.name': 'ada', 'providers.x.api_key': '***', 'log.level': 'info' });
    draft.set('agent.name', 'eve');
    draft.set('log.level', 'debug');
    draft.set('log.level', 'info');
    expect(draft.toBody()).toEqual({ version: 3, changes: { 'agent.name': 'eve' } });
  });

  it('keeps what was typed when another version comes, and says which keys another person has changed', () => {
    const draft = draftOf({ a: 1, b: 1, c: [1] });
    draft.set('a', 2);
    draft.set('b', 2);
    draft.rebase(configOf(4, { a: 1, b: 7, c: [2] }));
    expect(draft.conflicts).toEqual([{ key: 'b', old: 1, mine: 2, theirs: 7 }]);
    expect(draft.toBody()).toEqual({ version: 4, changes: { a: 2, b: 2 } });
  });

  it('settles a conflict with mine or theirs', () => {
    const draft = draftOf({ a: 1, b: 1 });
    draft.set('a', 2);
    draft.set('b', 2);
    draft.rebase(configOf(4, { a: 7, b: 7 }));
    draft.settle('a', 'mine');
    draft.settle('b', 'theirs');
    expect([draft.conflicts, draft.changes]).toEqual([[], [{ key: 'a', old: 7, mine: 2 }]]);
  });

  it('drops a change that another person has made too', () => {
    const draft = draftOf({ a: 1 });
    draft.set('a', 2);
    draft.rebase(configOf(4, { a: 2 }));
    expect(draft.changes).toEqual([]);
  });

  it('takes a secret for changed after every other version, because it reads alike', () => {
    const draft = draftOf({ key: '***' });
    draft.set('key', 'new-secret');
    draft.rebase(configOf(4, { key: '***' }));
    expect(draft.conflicts).toHaveLength(1);
  });

  it.each([
    ['***', true],
    [{ headers: { authorization: '***' } }, true],
    [[{ token: '***' }], true],
    ['a *** b', false],
    [null, false],
  ])('sees the mask in %j: %s', (value, isMasked) => {
    expect(hasMask(value)).toBe(isMasked);
  });
});
