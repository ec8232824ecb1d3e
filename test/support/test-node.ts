import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { FrameClient, type SeenFrame } from './frame-client.js';

/** A device for tests that speaks frames: it has a key, and does what a test orders. */
export class TestNode {
  readonly publicKey: string;
  nodeId = '';
  gatewayId = '';
  private readonly key: KeyObject;

  constructor(private readonly port: number) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.key = privateKey;
    this.publicKey = publicKey.export({ format: 'jwk' }).x as string;
  }

  /** Shows a code. Resolves with the response, and keeps the ID on success. */
  async pair(code: string, name = 'Test Node'): Promise<Response> {
    const response = await fetch(`http://127.0.0.1:${this.port}/nodes/pair`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code, name, platform: 'test', public_key: this.publicKey }),
    });
    if (response.ok) {
      const body = (await response.clone().json()) as { node_id: string; gateway_id: string };
      this.nodeId = body.node_id;
      this.gatewayId = body.gateway_id;
    }
    return response;
  }

  makeCredential(timestamp = Date.now(), nonce = randomBytes(16).toString('base64url')): string {
    const text = `openclaw-node-1\n${this.gatewayId}\n${this.nodeId}\n${timestamp}\n${nonce}`;
    const signature = sign(undefined, Buffer.from(text), this.key).toString('base64url');
    return `node1.${this.nodeId}.${timestamp}.${nonce}.${signature}`;
  }

  /** Connects, and registers commands if there are any. */
  async connect(commands?: readonly object[], credential = this.makeCredential()): Promise<FrameClient> {
    const client = await FrameClient.open(this.port, '', { headers: { authorization: `Bearer ${credential}` } });
    await client.next('connected');
    if (commands) await this.register(client, commands);
    return client;
  }

  async register(client: FrameClient, commands: readonly object[]): Promise<SeenFrame> {
    return client.answerTo(client.send('node_register', { node_id: this.nodeId, commands }));
  }
}

/** A command as a node describes it. */
export function aCommand(name: string, changes: object = {}): object {
  const parameters = { type: 'object', properties: { n: { type: 'integer' } } };
  return { name, description: `Does ${name}.`, parameters, ...changes };
}
