import { expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { TailscaleClient } from './tailscale-client.js';
import { TailscaleProgram } from './tailscale-program.js';
import { TailscaleWhois } from './tailscale-whois.js';

/** Calls that end when the test lets them. */
class SlowClient extends TailscaleClient {
  readonly calls: PromiseWithResolvers<string | undefined>[] = [];

  override whois(): Promise<string | undefined> {
    const call = Promise.withResolvers<string | undefined>();
    this.calls.push(call);
    return call.promise;
  }
}

it('[H-10] who a person is, is asked by at most eight programs at once', async () => {
  const nothing = () => undefined;
  const client = new SlowClient(new TailscaleProgram(nothing, nothing), new ManualClock());
  const whois = new TailscaleWhois(client);
  const asked = Array.from({ length: 8 }, (_, n) => whois.find(`100.64.0.${n}`));
  await expect(whois.find('100.64.0.8')).rejects.toThrow('too many `tailscale whois` run at once');
  client.calls[0]?.resolve('ann@example.com');
  expect(await asked[0]).toBe('ann@example.com');
  const next = whois.find('100.64.0.8');
  client.calls.slice(1).forEach((call) => call.resolve(undefined));
  expect(await next).toBeUndefined();
});
