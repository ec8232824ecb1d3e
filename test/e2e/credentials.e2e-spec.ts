import type { Socket } from 'node:net';
import { Controller, Get, Module, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  Caller,
  HttpAuthGuard,
  VerifiesCredentials,
  type CredentialVerifier,
  type PresentedCredential,
  type Verdict,
} from '../../src/auth/index.js';
import type { Principal } from '../../src/core/identity/principal.js';
import { PhaseService } from '../../src/core/phase/phase.service.js';
import { RateLimitsService } from '../../src/core/limits/rate-limits.service.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { httpRequest } from '../support/http-request.js';
import { OPCODES, rawFrame, RawSocket, upgradeLines } from '../support/raw-socket.js';

const ANN: Principal = {
  tenant: 'default',
  principal: 'acme:ann',
  role: 'operator',
  scopes: new Set(['sessions:read']),
  channels: undefined,
  sender: undefined,
};

/** A verifier of `acme.*` tokens that waits until the test continues it. */
@VerifiesCredentials()
class AcmeVerifier implements CredentialVerifier {
  readonly held: ((verdict: Verdict) => void)[] = [];
  isHolding = false;
  onHold: (peer: Socket) => void = () => {};

  async verify({ credential, request }: PresentedCredential): Promise<Verdict> {
    if (credential.kind !== 'token' || !credential.token.startsWith('acme.')) return 'notMine';
    if (credential.token === 'acme.keys-unreachable') throw new Error('the keys cannot be fetched');
    if (this.isHolding) {
      const verdict = new Promise<Verdict>((resolve) => this.held.push(resolve));
      this.onHold(request.socket);
      return verdict;
    }
    return credential.token === 'acme.token-of-ann' ? ANN : { refused: 'unknown to acme' };
  }

  /** Resolves with the socket of the peer once its verification is under way. */
  whenHeld(): Promise<Socket> {
    this.isHolding = true;
    return new Promise((resolve) => (this.onHold = resolve));
  }

  decide(verdict: Verdict): void {
    this.isHolding = false;
    for (const resolve of this.held.splice(0)) resolve(verdict);
  }
}

@Controller('acme')
@UseGuards(HttpAuthGuard)
class WhoController {
  @Get('whoami')
  who(@Caller() { principal }: Principal): object {
    return { principal };
  }
}

@Module({ providers: [AcmeVerifier], controllers: [WhoController] })
class AcmeModule {}

const MAX_CONNECTIONS = 3;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('a module with a verifier of its own', () => {
  let gateway: GatewayApp;
  let verifier: AcmeVerifier;
  beforeAll(async () => {
    const settings = { ...withTokens, 'limits.connections_per_address': MAX_CONNECTIONS };
    gateway = await GatewayApp.start({ modules: [AcmeModule], settings });
    verifier = gateway.app.get(AcmeVerifier, { strict: false });
  });
  afterAll(() => gateway.close());
  beforeEach(() => verifier.decide('notMine'));

  const whoIs = async (token: string) => {
    const { status, json } = await httpRequest(gateway.port, '/acme/whoami', { headers: bearer(token) });
    return status === 200 ? json()['principal'] : status;
  };
  const startUpgrade = async () => {
    const held = verifier.whenHeld();
    const raw = await RawSocket.connect(gateway.port);
    raw.sendLines(upgradeLines(gateway.port, '/', { Authorization: 'Bearer acme.token-of-ann' }));
    return { raw, peer: await held };
  };
  /** Returns whether all places that the address has are free. */
  const areAllPlacesFree = () => {
    const limits = gateway.app.get(RateLimitsService, { strict: false });
    const releases = Array.from({ length: MAX_CONNECTIONS }, () => limits.openConnection('127.0.0.1'));
    for (const release of releases) release?.();
    return releases.every((release) => release !== undefined);
  };
  beforeEach(async () => {
    await expect.poll(areAllPlacesFree).toBe(true);
  });

  it('[X-02] admits its principals over HTTP and WebSocket, in addition to those of static tokens', async () => {
    expect(await whoIs('acme.token-of-ann')).toBe('acme:ann');
    expect(await whoIs(TOKENS.operator)).toBe('operator');
    expect(await whoIs('acme.token-of-bob')).toBe(401);
    const client = await FrameClient.open(gateway.port, '', { headers: bearer('acme.token-of-ann') });
    expect((await client.next('connected')).payload).toMatchObject({ scopes: ['sessions:read'] });
    await client.close();
    const stranger = await FrameClient.open(gateway.port, '', { headers: bearer('acme.token-of-bob') });
    expect((await stranger.ended).code).toBe(4001);
  });

  it('[I-07] answers that it cannot decide now, over HTTP and WebSocket, and when to try again', async () => {
    const { status, headers, json } = await httpRequest(gateway.port, '/acme/whoami', {
      headers: bearer('acme.keys-unreachable'),
    });
    expect([status, headers['retry-after'], json()['retryable']]).toEqual([503, '5', true]);
    const client = await FrameClient.open(gateway.port, '', { headers: bearer('acme.keys-unreachable') });
    expect(await client.ended).toMatchObject({ code: 1013 });
  });

  it('[T-18] reserves the place of a connection while it is verified', async () => {
    const upgrades = [await startUpgrade(), await startUpgrade(), await startUpgrade()];
    const fourth = FrameClient.open(gateway.port, '', { headers: bearer(TOKENS.operator) });
    await expect(fourth).rejects.toThrow('HTTP 429');
    verifier.decide(ANN);
    for (const { raw } of upgrades) {
      expect((await raw.readHead()).status).toBe(101);
      raw.destroy();
      await raw.ended();
    }
    await expect.poll(areAllPlacesFree).toBe(true);
  });

  it('frees the place of a peer that closes its socket while its credential is verified', async () => {
    const { raw } = await startUpgrade();
    raw.destroy();
    await raw.ended();
    verifier.decide(ANN);
    await expect.poll(areAllPlacesFree).toBe(true);
  });

  it('survives a peer that resets its socket while its credential is verified, and frees its place', async () => {
    const { raw, peer } = await startUpgrade();
    const closed = new Promise((resolve) => peer.once('close', resolve));
    raw.socket.resetAndDestroy();
    await closed;
    verifier.decide(ANN);
    await expect.poll(areAllPlacesFree).toBe(true);
  });

  it('[T-13] refuses with 503 and frees the place when the drain begins while a credential is verified', async () => {
    const phase = gateway.app.get(PhaseService, { strict: false });
    const { raw } = await startUpgrade();
    phase.moveTo('draining');
    verifier.decide(ANN);
    const { status, headers } = await raw.readHead();
    phase.moveTo('ready');
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    await raw.ended();
    await expect.poll(areAllPlacesFree).toBe(true);
  });

  it('handles frames that a peer sent before the verdict, in order', async () => {
    const { raw } = await startUpgrade();
    for (const id of ['a', 'b'])
      raw.send(rawFrame(OPCODES.text, JSON.stringify({ type: 'ping', id, timestamp: 1, payload: {} })));
    verifier.decide(ANN);
    expect((await raw.readHead()).status).toBe(101);
    const frames = [await raw.readFrame(), await raw.readFrame(), await raw.readFrame()];
    expect(frames.map(({ payload }) => JSON.parse(payload.toString()) as object)).toMatchObject([
      { type: 'connected' },
      { type: 'pong', correlation_id: 'a' },
      { type: 'pong', correlation_id: 'b' },
    ]);
    raw.destroy();
  });
});
