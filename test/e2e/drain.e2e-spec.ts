import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartStopService } from '../../src/core/lifecycle/start-stop.service.js';
import { AdminApi } from '../support/admin-api.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let gateway: GatewayApp;
beforeEach(async () => {
  gateway = await GatewayApp.start({ settings: withTokens });
});
afterEach(() => gateway.close());

const drain = (token: string) => new AdminApi(gateway, token).post('drain');

describe('the stop over the administration', () => {
  it('[AD-42] begins once it is recorded, and is for operators of all tenants with the scope', async () => {
    let stops = 0;
    gateway.app.get(StartStopService, { strict: false }).onStopRequested(() => stops++);
    for (const token of [TOKENS.operator, TOKENS.stranger, TOKENS.alice]) expect((await drain(token)).status).toBe(403);
    expect(stops).toBe(0);
    expect(await drain(TOKENS.owner)).toMatchObject({ status: 202, body: { phase: 'draining' } });
    expect(stops).toBe(1);
    const { items } = (await new AdminApi(gateway, TOKENS.owner).get('audit?action=gateway.drain')).body;
    expect(items).toMatchObject([{ actor: 'owner' }]);
  });

  it('[AD-42] is left to an application that embeds the gateway', async () => {
    expect(await drain(TOKENS.owner)).toMatchObject({ status: 409, type: 'application/problem+json' });
  });
});
