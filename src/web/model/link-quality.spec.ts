import { describe, expect, it } from 'vitest';
import { ConnectionEndedError, type ConnectionState } from '../../client/index.js';
import { describeLink, type LinkFacts, type LinkQuality } from './link-quality.js';

const waiting = (code: number): ConnectionState => ({ name: 'waiting', loss: { code, reason: '' }, retryInMs: 1 });
const connected = { name: 'connected', connected: {} } as ConnectionState;
const connecting: ConnectionState = { name: 'connecting' };
const facts: LinkFacts = { isGoingAway: false, isOnline: true, wasConnected: true, finding: undefined };

describe("the state of the page's connection", () => {
  it.each<[LinkQuality, ConnectionState, Partial<LinkFacts>]>([
    ['connecting', connecting, { wasConnected: false }],
    ['connecting', { name: 'ended', error: new ConnectionEndedError(1000, '') }, {}],
    ['reconnecting', connecting, {}],
    ['reconnecting', waiting(1006), {}],
    ['reconnecting', waiting(4013), {}],
    ['restarting', waiting(1012), {}],
    ['restarting', waiting(1006), { isGoingAway: true }],
    ['restarting', connecting, { isGoingAway: true }],
    ['offline', waiting(1012), { isOnline: false }],
    ['offline', connected, { isOnline: false }],
    ['connected', connected, {}],
    ['connecting', waiting(1006), { wasConnected: false }],
    ['unreachable', waiting(1006), { wasConnected: false, finding: 'away' }],
    ['unreachable', connecting, { wasConnected: false, finding: 'away' }],
    ['halfway', waiting(1006), { wasConnected: false, finding: 'answers' }],
    ['halfway', connecting, { finding: 'foreign' }],
    ['reconnecting', waiting(1006), { finding: 'away' }],
    ['connected', connected, { finding: 'answers' }],
  ])('is %s', (quality, state, changes) => {
    expect(describeLink(state, { ...facts, ...changes })).toBe(quality);
  });
});
