import { describe, expect, it } from 'vitest';
import { findReason, type Ask, type LinkFinding } from './link-finding.js';

const FOREIGN = 'Pages of this origin may not use the gateway; see gateway.allowed_origins';
const healthy = { 'chat/sign-in': 400, 'health/ready': 200, 'media/none': 404 };

/** Answers each path with a status, and rejects for any other path. */
const answering =
  (statuses: Readonly<Record<string, number>>, body = ''): Ask =>
  (path) => {
    const status = statuses[path];
    return status === undefined ? Promise.reject(new TypeError(path)) : Promise.resolve(new Response(body, { status }));
  };

describe('the reason why no live connection opens', () => {
  it.each<[LinkFinding, Readonly<Record<string, number>>, string?]>([
    ['answers', healthy],
    ['foreign', { 'chat/sign-in': 403 }, FOREIGN],
    // A proxy that refuses says nothing about origins.
    ['away', { 'chat/sign-in': 403 }, 'Forbidden'],
    ['throttled', { ...healthy, 'chat/sign-in': 429 }],
    ['throttled', { ...healthy, 'media/none': 429 }],
    ['away', { ...healthy, 'health/ready': 503 }],
    ['away', { 'chat/sign-in': 502 }],
    ['away', {}],
  ])('is %s with %o', async (finding, statuses, body) => {
    expect(await findReason('a-token-0123456789', answering(statuses, body))).toBe(finding);
  });

  it('is found without a token, which an open gateway does not need', async () => {
    expect(await findReason(undefined, answering({ 'chat/sign-in': 400, 'health/ready': 200 }))).toBe('answers');
  });
});
