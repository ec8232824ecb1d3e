import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { GatewayClient } from '../../src/client/index.js';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { eventually } from '../support/eventually.js';
import { GatewayProcess } from '../support/gateway-process.js';

const NODE = fileURLToPath(new URL('counting-node.mjs', import.meta.url));

/** The end of a call as the person sees it. */
interface SeenEnd {
  readonly callId: string;
  readonly status: string;
}

/** A gateway and a device in processes of their own, both of which can be killed, with a line between them that can be cut. */
export class NodeCampaign {
  readonly ends: SeenEnd[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'nodes-'));
  private gateway: GatewayProcess | undefined;
  private device: ChildProcess | undefined;
  private client: GatewayClient | undefined;
  private calls = 0;

  private constructor(
    private readonly line: CuttingProxy,
    private readonly front: CuttingProxy,
  ) {
    mkdirSync(join(this.folder, 'node'));
  }

  /** @param failpoint where the gateway dies, at a call */
  static async start(failpoint?: string): Promise<NodeCampaign> {
    const campaign = new NodeCampaign(await CuttingProxy.start(), await CuttingProxy.start());
    const gateway = await campaign.startGateway(failpoint);
    const response = await fetch(`${campaign.front.url}/admin/v1/nodes/pairings`, {
      method: 'POST',
      headers: { ...gateway.localHeaders, 'content-type': 'application/json' },
      body: '{"name":"Counter"}',
    });
    const { code } = (await response.json()) as { code: string };
    await campaign.startDevice({ PAIR: code });
    campaign.client = new GatewayClient({ url: campaign.front.url, clientId: 'person' });
    await campaign.client.connect();
    return campaign;
  }

  /** Starts the gateway, to die at a failpoint if one is named. */
  async startGateway(failpoint?: string): Promise<GatewayProcess> {
    const env = {
      OPENCLAW_TOOLS_DEFAULT_PERMISSIONS: '["node:counter"]',
      OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
      ...(failpoint !== undefined && { OPENCLAW_FAILPOINT: failpoint }),
    };
    this.gateway = new GatewayProcess({ folder: this.folder, env });
    this.line.target = this.front.target = await this.gateway.port;
    return this.gateway;
  }

  /** Starts the device, and waits until it has registered. */
  async startDevice(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const paths = { URL: this.line.url, FOLDER: join(this.folder, 'node') };
    this.device = spawn(process.execPath, [NODE], {
      env: { PATH: process.env['PATH'], ...paths, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(this.device.stdout as NodeJS.EventEmitter, 'data');
  }

  async call(command: 'once' | 'again'): Promise<SeenEnd> {
    const message = { channel: 'api', sender: `person-${this.calls++}`, content: `/tool node.counter.${command} {}` };
    const blocks = await this.client?.send(message).blocks();
    const results = blocks?.filter(({ block_type: type }) => type === 'tool_result') ?? [];
    expect(results).toHaveLength(1);
    const { call_id: callId, status } = JSON.parse(results[0]?.content ?? '{}') as { call_id: string; status: string };
    this.ends.push({ callId, status });
    return { callId, status };
  }

  /** Waits until the gateway has killed itself. */
  async gatewayDied(): Promise<void> {
    expect((await this.gateway?.exited)?.signal).toBe('SIGKILL');
    this.line.target = this.front.target = 0;
    this.front.cut();
    this.line.cut();
  }

  async deviceDied(): Promise<void> {
    if (this.device?.exitCode === null && this.device.signalCode === null) await once(this.device, 'exit');
    expect(this.device?.signalCode).toBe('SIGKILL');
  }

  async killDevice(): Promise<void> {
    this.device?.kill('SIGKILL');
    await this.deviceDied();
  }

  cut(): void {
    this.line.cut();
  }

  /** Waits until the gateway has the commands of the device. */
  async connected(): Promise<void> {
    await eventually(async () => {
      const headers = this.gateway?.localHeaders ?? { authorization: '' };
      const response = await fetch(`${this.front.url}/admin/v1/nodes`, { headers });
      expect(await response.json()).toMatchObject({ items: [{ state: 'connected' }] });
    });
  }

  /** How often each call had its effect. */
  countEffects(): ReadonlyMap<string, number> {
    const path = join(this.folder, 'node', 'effects.log');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
    const counts = new Map<string, number>();
    for (const line of lines) {
      const callId = line.split(' ')[1] ?? '';
      counts.set(callId, (counts.get(callId) ?? 0) + 1);
    }
    return counts;
  }

  async stop(): Promise<void> {
    this.client?.close();
    this.device?.kill('SIGKILL');
    await this.gateway?.end();
    this.line.close();
    this.front.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
