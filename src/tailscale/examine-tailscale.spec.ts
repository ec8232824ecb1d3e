import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOST, served, StandInTailscale } from '../../test/support/stand-in-tailscale.js';
import { examineTailscale } from './examine-tailscale.js';
import { TailscaleProgram } from './tailscale-program.js';

let tailscale: StandInTailscale;
beforeEach(() => (tailscale = new StandInTailscale()));
afterEach(() => tailscale.remove());

const URL_443 = `https://${HOST}`;
const asked: string[] = [];
const examine = (answer: () => Response) =>
  examineTailscale(
    new TailscaleProgram(
      () => tailscale.program,
      () => '/run/tailscaled.sock',
    ),
    { port: 443, mode: 'serve' },
    async (url) => {
      asked.push(new Request(url).url);
      return answer();
    },
  );

describe('the examination of Tailscale', () => {
  it('[H-04] asks for the public address as people do', async () => {
    tailscale.change({ serve: served('http://127.0.0.1:18789') });
    expect(await examine(() => Response.json({ status: 'ok', details: {} }))).toEqual({
      state: 'ok',
      says: `${URL_443} leads to http://127.0.0.1:18789, and a gateway answers there`,
    });
    expect(asked).toEqual([`${URL_443}/health/live`]);
    expect(tailscale.calls).toEqual([
      '--socket=/run/tailscaled.sock status --json',
      '--socket=/run/tailscaled.sock serve status --json',
    ]);
  });

  it('[H-04] says what answers in its place', async () => {
    tailscale.change({ serve: { Foreground: { [process.pid]: served('http://127.0.0.1:18789') } } });
    expect((await examine(() => new Response('hi', { status: 404 }))).says).toContain(
      'no gateway answers there: HTTP 404',
    );
    const late = await examine(() => {
      throw new DOMException('late', 'TimeoutError');
    });
    expect(late).toMatchObject({
      state: 'note',
      says: expect.stringContaining('the first certificate takes a while') as string,
    });
    const refused = await examine(() => {
      throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
    });
    expect(refused.says).toContain('ECONNREFUSED');
  });

  it('[H-04] says what is missing, without waiting', async () => {
    expect(await examine(() => new Response())).toEqual({
      state: 'ok',
      says: `${URL_443} is free for serve; a gateway that runs sets it`,
    });
    tailscale.change({ status: { BackendState: 'Starting' } });
    expect(await examine(() => new Response())).toMatchObject({
      state: 'note',
      says: expect.stringContaining('starting') as string,
    });
    tailscale.change({ daemon: 'away' });
    expect((await examine(() => new Response())).says).toContain('tailscaled does not respond (failed to connect');
  });
});
