import { expect } from 'vitest';
import type { FrameClient, SeenFrame } from './frame-client.js';
import { GatewayApp, type GatewayAppOptions } from './gateway-app.js';
import { TestNode } from './test-node.js';

export const OPERATOR = 'operator-token-0123456789';
/** A token of role `node`, for a fleet. */
export const FLEET = 'fleet-token-0123456789abc';

const SETTINGS = {
  'auth.tokens': [
    { token: OPERATOR, principal: 'ann', role: 'operator' },
    { token: FLEET, principal: 'fleet', role: 'node' },
  ],
  'tools.default_permissions': ['node', 'node:kitchen-mac', 'node:kitchen-mac-2', 'node:lamp-1'],
};

/** A gateway with the means to pair devices and to call their commands. */
export class NodeApp {
  private constructor(readonly gateway: GatewayApp) {}

  static async start({ settings, ...options }: GatewayAppOptions = {}): Promise<NodeApp> {
    return new NodeApp(await GatewayApp.start({ settings: { ...SETTINGS, ...settings }, ...options }));
  }

  get url(): string {
    return this.gateway.url;
  }

  /** Sends a request to the administration of nodes. */
  admin(method: string, path = '', body?: object): Promise<Response> {
    return fetch(`${this.url}/admin/v1/nodes${path}`, {
      method,
      headers: { authorization: `Bearer ${OPERATOR}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** Makes a code. */
  async invite(invitation: object = { name: 'Kitchen Mac' }): Promise<string> {
    const response = await this.admin('POST', '/pairings', invitation);
    expect(response.status).toBe(201);
    return ((await response.json()) as { code: string }).code;
  }

  /** Pairs a device: by default `kitchen-mac`. */
  async pair(invitation?: object, node = new TestNode(this.gateway.port)): Promise<TestNode> {
    expect((await node.pair(await this.invite(invitation))).status).toBe(200);
    return node;
  }

  /** Connects a person who calls tools. */
  person(name = 'person'): Promise<FrameClient> {
    return this.gateway.connect(name, OPERATOR);
  }

  close(): Promise<void> {
    return this.gateway.close();
  }
}

/** Calls a tool as a person. Returns the ID of the message. */
export function callTool(client: FrameClient, tool: string, parameters: object = {}): string {
  const content = `/tool ${tool} ${JSON.stringify(parameters)}`;
  return client.send('message_in', { channel: 'test', sender: 'ann', content });
}

/** Resolves with the content of the next block that has the result of a call. */
export async function resultOf(client: FrameClient): Promise<Record<string, unknown>> {
  const frame = await client.next(({ payload }) => payload['block_type'] === 'tool_result');
  return JSON.parse(frame.payload['content'] as string) as Record<string, unknown>;
}

/** Resolves with the ID of the next call that a node gets. */
export async function nextCall(line: FrameClient): Promise<string> {
  return (await line.next('tool_call')).payload['call_id'] as string;
}

/** Sends the result of a call, and resolves with the response. */
export function sendResult(line: FrameClient, callId: string, content: unknown): Promise<SeenFrame> {
  return line.answerTo(line.send('tool_result', { call_id: callId, ok: true, content }));
}
