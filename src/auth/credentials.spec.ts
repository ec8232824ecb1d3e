import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readCredential } from './credentials.js';

const read = (headersDistinct: Record<string, string[]>) =>
  readCredential({ headersDistinct } as unknown as IncomingMessage);
const token = (text: string) => ({ kind: 'token', token: text });

describe('the credential of a request', () => {
  it('[X-02] is none when none is sent', () => {
    expect(read({})).toEqual({ kind: 'none' });
    expect(read({ 'sec-websocket-protocol': ['openclaw.v1, chat'] })).toEqual({ kind: 'none' });
  });

  it('[X-02] is the token of the Authorization header, with the scheme in any case', () => {
    expect(read({ authorization: ['Bearer abc.DEF_~-1'] })).toEqual(token('abc.DEF_~-1'));
    expect(read({ authorization: ['bearer  abc '] })).toEqual(token('abc'));
  });

  it('[X-02] is the token among the subprotocols', () => {
    expect(read({ 'sec-websocket-protocol': ['openclaw.v1, openclaw.bearer.abc'] })).toEqual(token('abc'));
    expect(read({ 'sec-websocket-protocol': ['openclaw.v1', 'openclaw.bearer.abc'] })).toEqual(token('abc'));
  });

  it('may be sent twice if both are equal', () => {
    expect(
      read({ authorization: ['Bearer abc', 'Bearer abc'], 'sec-websocket-protocol': ['openclaw.bearer.abc'] }),
    ).toEqual(token('abc'));
  });

  it.each<[string, Record<string, string[]>]>([
    ['two headers that differ', { authorization: ['Bearer abc', 'Bearer abd'] }],
    [
      'header and subprotocol that differ',
      { authorization: ['Bearer abc'], 'sec-websocket-protocol': ['openclaw.bearer.abd'] },
    ],
    ['two subprotocols that differ', { 'sec-websocket-protocol': ['openclaw.bearer.abc, openclaw.bearer.abd'] }],
    [
      'another scheme next to a valid token',
      { authorization: ['Basic YTpi'], 'sec-websocket-protocol': ['openclaw.bearer.abc'] },
    ],
    ['another scheme', { authorization: ['Basic YTpi'] }],
    ['no token', { authorization: ['Bearer '] }],
    ['a token with other characters', { authorization: ['Bearer ab+c'] }],
    ['two tokens in one header', { authorization: ['Bearer abc, Bearer abd'] }],
  ])('[X-02] is unusable: %s', (_, headers) => expect(read(headers)).toEqual({ kind: 'unusable' }));
});
