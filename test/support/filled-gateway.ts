import { Injectable, Module } from '@nestjs/common';
import Type from 'typebox';
import { expect } from 'vitest';
import { Tool, type ToolExecutor } from '../../src/core/tools/tool.decorator.js';
import { PinoLogs } from '../../src/telemetry/pino-logs.js';
import { FakePlatform } from '../../src/testing/fake-platform.js';
import { AdminApi } from './admin-api.js';
import { eventually } from './eventually.js';
import type { FrameClient } from './frame-client.js';
import { TOKENS, type GatewayApp, type GatewayAppOptions } from './gateway-app.js';
import { PlatformModule } from './platform-app.js';
import { aCommand, TestNode } from './test-node.js';

const Parameters = Type.Object({ amount: Type.Integer(), to: Type.Optional(Type.String()) });

@Tool({ name: 'acme.pay', description: 'Pays.', parameters: Parameters, permissions: [], requiresApproval: true })
@Injectable()
class PayTool implements ToolExecutor<typeof Parameters> {
  execute({ amount }: { amount: number }): object {
    return { paid: amount };
  }
}

@Module({ providers: [PayTool] })
class AcmeModule {}

/** The token of an operator who may read and change nothing. */
export const WATCHER = 'watcher-token-0123456789a';

const SETTINGS = {
  'auth.tokens': [
    { token: TOKENS.operator, principal: 'operator', role: 'operator' },
    { token: WATCHER, principal: 'watcher', role: 'operator', scopes: ['admin:read', 'audit:read', 'sessions:read'] },
    { token: TOKENS.driver, principal: 'driver', role: 'channel', channels: ['test'] },
  ],
  'channels.pigeon.dm_policy': 'pairing',
  'channels.pigeon.streaming': 'final',
  'channels.pigeon.allow_from': ['ann', 'bob', 'carl'],
};

/** Fills the pages of the console of a gateway that was started with {@link options}. */
export class FilledGateway {
  readonly platform = new FakePlatform();
  readonly logs = new PinoLogs({ output: { write: () => {} }, pretty: false });
  readonly options: GatewayAppOptions = {
    modules: [PlatformModule.on(this.platform), AcmeModule],
    settings: SETTINGS,
    logs: this.logs,
  };
  private gateway!: GatewayApp;
  private driver!: FrameClient;
  private sent = 0;
  admin!: AdminApi;

  async attach(gateway: GatewayApp): Promise<void> {
    this.gateway = gateway;
    this.admin = new AdminApi(gateway);
    this.driver = await gateway.connect('driver', TOKENS.driver);
  }

  /** Sends a message as a person. Resolves with the ref and the session of it. */
  async say(content: string, sender = 'ann'): Promise<{ ref: string; sessionId: string }> {
    const id = this.driver.send('message_in', { channel: 'test', sender, content }, { id: `said-${++this.sent}` });
    const { payload, session_id: sessionId = '' } = await this.driver.answerTo(id);
    return { ref: String(payload['message_ref']), sessionId };
  }

  /** Sends a message whose turn runs until it is cancelled. */
  async run(sender = 'ann'): Promise<{ ref: string; sessionId: string }> {
    const said = await this.say('/wait 60000', sender);
    await this.until('turns', (items) => items.some((item) => item['message_ref'] === said.ref));
    return said;
  }

  /** Makes a call that waits for a decision. Resolves with its approval. */
  async ask(
    amount: number,
    sender = `payer-${amount}`,
    call: object = { amount, to: 'bob' },
  ): Promise<Readonly<Record<string, unknown>>> {
    const { ref } = await this.say(`/tool acme.pay ${JSON.stringify(call)}`, sender);
    const items = await this.until('approvals', (all) => all.some((item) => item['message_ref'] === ref));
    return items.find((item) => item['message_ref'] === ref) ?? {};
  }

  /** Makes replies that the platform refuses. */
  async bury(...texts: readonly string[]): Promise<void> {
    const before = (await this.list('dead-letters')).length;
    for (const [index, text] of texts.entries()) {
      this.platform.failNext({ outcome: 'refused' });
      this.platform.write('ann', text);
      await this.until('dead-letters', (items) => items.length === before + index + 1);
    }
  }

  /** A stranger writes to the channel, and gets a code. */
  async knock(sender: string): Promise<void> {
    this.platform.write(sender, 'may I come in?');
    await this.until('channels/pigeon/pairings', (items) => items.some((item) => item['sender'] === sender));
  }

  /** Adds a job that is due once a day. */
  async addJob(changes: object = {}): Promise<string> {
    const { body, status } = await this.admin.post('cron/jobs', {
      name: 'news',
      schedule: { cron: '0 8 * * 1-5', timezone: 'Europe/Paris' },
      target: { channel: 'test', sender: 'ann' },
      message: 'What is new today?',
      ...changes,
    });
    expect([status, body]).toEqual([201, expect.anything()]);
    return String(body['job_id']);
  }

  /** Pairs a device with two commands, one of which has changed since it was allowed. */
  async pairNode(name = 'Kitchen Mac'): Promise<TestNode> {
    const node = new TestNode(this.gateway.port);
    const { body } = await this.admin.post('nodes/pairings', { name });
    expect((await node.pair(String(body['code']))).status).toBe(200);
    const line = await node.connect([aCommand('camera.snap'), aCommand('system.info')]);
    await node.register(line, [aCommand('camera.snap', { description: 'Does more.' }), aCommand('system.info')]);
    return node;
  }

  async list(path: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return (await this.admin.get(path)).body.items ?? [];
  }

  /** Reads a list until a condition holds for it, and resolves with it. */
  async until(
    path: string,
    holds: (items: readonly Readonly<Record<string, unknown>>[]) => boolean,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    let items: readonly Readonly<Record<string, unknown>>[] = [];
    await eventually(async () => {
      items = await this.list(path);
      expect(holds(items), path).toBe(true);
    });
    return items;
  }
}
