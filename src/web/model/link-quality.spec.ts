import { describe, expect, it } from 'vitest';
import { ConnectionEndedError, type ConnectionState } from '../../client/index.js';
import { describeLink, type LinkQuality } from './link-quality.js';

const waiting = (code: number): ConnectionState => ({ name: 'waiting', loss: { code, reason: '' }, retryInMs: 1 });
const connected = { name: 'connected', connected: {} } as ConnectionState;
const connecting: ConnectionState = { name: 'connecting' };
const facts = { isGoingAway: false, isOnline: true, wasConnected: true };

describe("the state of the page's connection", () => {
  it.each<[LinkQuality, ConnectionState, Partial<typeof facts>]>([
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
    ['unreachable', waiting(1006), { wasConnected: false }],
  ])('is %s', (quality, state, changes) => {
    expect(describeLink(state, { ...facts, ...changes })).toBe(quality);
  });
});
