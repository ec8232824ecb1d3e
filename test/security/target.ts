import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { AdminApi } from '../support/admin-api.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { httpRequest, type HttpAnswer } from '../support/http-request.js';
import { RawSocket, type RawAnswer } from '../support/raw-socket.js';

/** Credentials by principal. None of them may ever be in a log, a metric or a response. */
export const TOKENS = {
  owner: 'canary-owner-0123456789',
  operator: 'canary-operator-0123456789',
  driver: 'canary-driver-0123456789',
  otherDriver: 'canary-other-driver-0123456789',
  alice: 'canary-alice-0123456789',
  bob: 'canary-bob-0123456789',
  reader: 'canary-reader-0123456789',
  viewer: 'canary-viewer-0123456789',
  stranger: 'canary-stranger-0123456789',
  flooder: 'canary-flooder-0123456789',
} as const;
/** What attackers guess: it must not be in a log either. */
export const GUESS = 'canary-guess-0123456789';

const PRINCIPALS = [
  { token: TOKENS.owner, principal: 'owner', role: 'operator', tenant: '*' },
  { token: TOKENS.operator, principal: 'operator', role: 'operator' },
  { token: TOKENS.driver, principal: 'driver', role: 'channel', channels: ['test'] },
  { token: TOKENS.otherDriver, principal: 'other-driver', role: 'channel', channels: ['other'] },
  { token: TOKENS.alice, principal: 'alice', role: 'user', channels: ['test'] },
  { token: TOKENS.bob, principal: 'bob', role: 'user', channels: ['test'] },
  { token: TOKENS.reader, principal: 'reader', role: 'operator', scopes: ['sessions:read'] },
  { token: TOKENS.viewer, principal: 'viewer', role: 'operator', scopes: ['admin:read'] },
  { token: TOKENS.stranger, principal: 'stranger', role: 'operator', tenant: 'acme' },
  { token: TOKENS.flooder, principal: 'flooder', role: 'user', channels: ['test'] },
];

const CANARY = /canary-[a-z-]+-0123456789/;
/** Growth that may remain after the attacks: the young generation, and caches that they have filled. In MiB. */
const MAX_HEAP_GROWTH_MIB = 48;
const MAX_RESIDENT_GROWTH_MIB = 128;
const MEMORY_TIMEOUT_MS = 120_000;
const WARM_UP_TURNS = 20;
/** The promise is a second. Only the long suite measures it: a machine that runs other tests is slow. */
const MAX_TURN_MS = 1_000;

/** The differences of a target from the usual one. */
export interface TargetOptions {
  /** Further settings, nested as in `config.yaml`. May use {@link Target.prepare}. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Settings that are known only when the test starts. */
  readonly prepare?: (target: Target) => Promise<Readonly<Record<string, unknown>>>;
  /** False for a gateway without configured credentials. */
  readonly hasTokens?: boolean;
  readonly port?: number;
  /** Log lines at level error that the attacks cause for good reason. */
  readonly expectedErrors?: RegExp;
}

/**
 * The built gateway as a process of its own, which a file of tests attacks. Its log is at level trace, and holds no secret at
 * any level.
 */
export class Target {
  port = 0;
  folder = '';
  private process!: GatewayProcess;
  private before = { rss: 0, heap: 0 };
  private checkedLength = 0;
  private turns = 0;
  private strangers = 0;

  constructor(private readonly options: TargetOptions) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get output(): string {
    return this.process.output;
  }

  async start(): Promise<void> {
    this.folder = mkdtempSync(join(tmpdir(), 'openclaw-security-'));
    const { hasTokens = true, settings, prepare, port = 0 } = this.options;
    const more = (await prepare?.(this)) ?? {};
    const all = { ...settings, ...more };
    const auth = hasTokens ? { tokens: PRINCIPALS, ...(all['auth'] as object | undefined) } : all['auth'];
    // JSON is YAML.
    writeFileSync(join(this.folder, 'config.yaml'), JSON.stringify({ ...all, ...(auth !== undefined && { auth }) }));
    this.process = new GatewayProcess({
      folder: this.folder,
      env: { OPENCLAW_LOG_LEVEL: 'trace', OPENCLAW_GATEWAY_PORT: String(port) },
      module: fileURLToPath(new URL('hostile.module.mjs', import.meta.url)),
    });
    this.port = await this.process.port;
    for (let n = 0; n < WARM_UP_TURNS; n++) await this.expectService();
    this.before = await this.readMemory();
  }

  async end(): Promise<void> {
    await this.process.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Asks the administration as an operator of all tenants, or with another credential. */
  admin(token: string = this.operatorToken): AdminApi {
    return new AdminApi(this, token);
  }

  /** The credential of an operator of the whole gateway. */
  get operatorToken(): string {
    if (this.options.hasTokens !== false) return TOKENS.owner;
    return this.process.localHeaders.authorization.replace('Bearer ', '');
  }

  request(path: string, options?: Parameters<typeof httpRequest>[2]): Promise<HttpAnswer> {
    return httpRequest(this.port, path, options);
  }

  /** Sends bytes and reads the response of a connection that the gateway then closes. */
  async sendRaw(bytes: string | Buffer): Promise<RawAnswer> {
    const raw = await RawSocket.connect(this.port);
    raw.send(bytes);
    const answer = await raw.readAnswer();
    raw.destroy();
    return answer;
  }

  /** Opens a client and waits for its `connected`. */
  async connect(token: string = TOKENS.driver, query = ''): Promise<FrameClient> {
    const client = await FrameClient.open(this.port, query, { headers: bearer(token) });
    await client.next('connected');
    return client;
  }

  /** Headers that make a request one of an address of its own, behind a trusted proxy: limits are per address. */
  asStranger(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
    const n = ++this.strangers;
    return { ...headers, 'x-forwarded-for': `198.18.${n >> 8}.${n & 255}` };
  }

  /** The oracle: a well-behaved client completes a turn. */
  async expectService(): Promise<void> {
    const startedAt = performance.now();
    const token = this.options.hasTokens === false ? undefined : TOKENS.driver;
    const client = await FrameClient.open(this.port, '', token === undefined ? {} : { headers: bearer(token) });
    const sender = `good-${this.turns++ % 50}`;
    const id = client.send('message_in', { channel: 'test', sender, content: 'still there?' });
    const ack = await client.answerTo(id);
    expect(ack).toMatchObject({ type: 'message_ack', payload: { status: 'queued' } });
    const reference = ack.payload['message_ref'];
    const end = await client.next(({ type, payload }) => type === 'stream_end' && payload['message_ref'] === reference);
    expect(end.payload).toMatchObject({ reason: 'stop' });
    await client.close();
    // oxlint-disable-next-line node/no-process-env -- the switch of the long suite
    if (process.env['LONG'] !== undefined) expect(performance.now() - startedAt).toBeLessThan(MAX_TURN_MS);
  }

  /** The oracle: nothing unhandled, nothing at level error, no secret and no forged line in the log. */
  expectCleanLog(): void {
    const end = this.output.lastIndexOf('\n') + 1;
    const lines = this.output.slice(this.checkedLength, end).split('\n').filter(Boolean);
    this.checkedLength = end;
    // oxlint-disable-next-line eslint/no-control-regex -- controls are what must not be there
    expect(lines.filter((line) => /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/.test(line))).toEqual([]);
    expect(lines.filter((line) => CANARY.test(line))).toEqual([]);
    const entries = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { level?: string });
    const errors = entries
      .filter(({ level }) => level === 'error' || level === 'fatal')
      .map((one) => JSON.stringify(one));
    expect(errors.filter((line) => this.options.expectedErrors?.test(line) !== true)).toEqual([]);
    expect(lines.filter((line) => /unhandled|uncaught|DeprecationWarning|MaxListeners/i.test(line))).toEqual([]);
  }

  /** The oracle: the memory that the attacks took is back, and no secret is in what operators read. */
  async expectRecovery(): Promise<void> {
    // Not `expect.poll`, which works in tests only.
    await vi.waitFor(
      async () => {
        const { rss, heap } = await this.readMemory();
        expect(rss - this.before.rss).toBeLessThan(MAX_RESIDENT_GROWTH_MIB);
        expect(heap - this.before.heap).toBeLessThan(MAX_HEAP_GROWTH_MIB);
      },
      { timeout: MEMORY_TIMEOUT_MS, interval: 500 },
    );
    const headers = bearer(this.operatorToken);
    for (const path of ['/metrics', '/admin/v1/logs?limit=200', '/admin/v1/config', '/admin/v1/audit/export']) {
      const { status, text } = await this.request(path, { headers });
      expect([path, status]).toEqual([path, 200]);
      expect(text.match(CANARY)?.[0]).toBeUndefined();
    }
  }

  private async readMemory(): Promise<{ readonly rss: number; readonly heap: number }> {
    const { body } = await this.admin().get('status');
    const { rss_mb: rss, heap_mb: heap } = body['memory'] as { rss_mb: number; heap_mb: number };
    return { rss, heap };
  }
}

/** Starts a target for the tests of a file, and holds the oracle after each of them and after all. */
export function useTarget(options: TargetOptions = {}): Target {
  const target = new Target(options);
  beforeAll(() => target.start());
  afterEach(async () => {
    await target.expectService();
    target.expectCleanLog();
  });
  afterAll(async () => {
    try {
      await target.expectRecovery();
    } finally {
      await target.end();
    }
    target.expectCleanLog();
  });
  return target;
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
