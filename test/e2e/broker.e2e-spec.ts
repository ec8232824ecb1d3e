import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthService } from '../../src/auth/index.js';
import { InProcessBroker } from '../../src/core/broker/in-process-broker.js';
import { SilentLogs } from '../../src/core/telemetry/logs.js';
import { SystemClock } from '../../src/core/time/clock.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { httpRequest } from '../support/http-request.js';

describe('two gateways with one broker', () => {
  let gateways: [GatewayApp, GatewayApp];
  beforeAll(async () => {
    const [clock, logs] = [new SystemClock(), new SilentLogs()];
    const broker = new InProcessBroker(clock, logs);
    const start = (own: InProcessBroker) => GatewayApp.start({ settings: withTokens, broker: own });
    gateways = [await start(broker), await start(new InProcessBroker(clock, logs, broker))];
  });
  afterAll(() => Promise.all(gateways.map((gateway) => gateway.close())));

  it('[T-41] keep one connection of a client: the older one is closed with 4010, wherever the newer one is', async () => {
    const older = await gateways[0].connect('phone', TOKENS.alice);
    const newer = await gateways[1].connect('phone', TOKENS.alice);
    expect((await older.ended).code).toBe(4010);
    newer.send('ping');
    await newer.next('pong');
    const newest = await gateways[0].connect('phone', TOKENS.alice);
    expect((await newer.ended).code).toBe(4010);
    newest.send('ping');
    await newest.next('pong');
  });

  it('[G-13] show operators of one the presence of users of the other', async () => {
    const operator = await gateways[0].connect('desk', TOKENS.operator, '&subscribe=presence');
    const driver = await gateways[1].connect('driver', TOKENS.driver);
    driver.send('presence', { channel: 'test', user_id: 'ann', status: 'typing' });
    expect((await operator.next('presence')).payload).toMatchObject({ user_id: 'ann', status: 'typing' });
  });

  it('[W-02] accept a page sign-in code that the other has issued, once', async () => {
    const code = await gateways[0].app.get(AuthService, { strict: false }).issuePageCode();
    const redeem = async ({ port }: GatewayApp) => {
      const headers = { 'content-type': 'application/json' };
      return (await httpRequest(port, '/chat/sign-in', { method: 'POST', headers, body: JSON.stringify({ code }) }))
        .status;
    };
    expect(await redeem(gateways[1])).toBe(200);
    expect([await redeem(gateways[0]), await redeem(gateways[1])]).toEqual([401, 401]);
  });
});
