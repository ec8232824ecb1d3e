import { expect, it } from 'vitest';
import type { EgressInit } from '../../http/egress-fetch.js';
import { CloudApi } from './cloud-api.js';

it('a call has a time limit, after which its outcome is unknown', async () => {
  let init: EgressInit | undefined;
  const fetch = async (_: unknown, given: EgressInit = {}): Promise<Response> => {
    init = given;
    throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  };
  const api = new CloudApi('token-of-a-test', '1', 'https://graph.example', fetch, () => {});
  await expect(api.post({ type: 'text' })).rejects.toMatchObject({ outcome: 'unknown' });
  expect(init?.signal).toBeInstanceOf(AbortSignal);
  expect(init?.redirect).toBe('error');
});

it.each([
  ['ECONNREFUSED', 'not_sent'],
  ['ECONNRESET', 'unknown'],
])('after %s a message is %s, and the error has no URL', async (code, outcome) => {
  const fetch = async () => {
    throw Object.assign(new Error('connect https://graph.example/1/messages'), { code });
  };
  const api = new CloudApi('token-of-a-test', '1', 'https://graph.example', fetch, () => {});
  await expect(api.post({ type: 'text' })).rejects.toMatchObject({
    outcome,
    message: expect.not.stringContaining('graph.example') as string,
  });
});
