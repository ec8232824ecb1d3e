import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { LLMock, type ChatMessage, type Fixture } from '@copilotkit/aimock';
import type { Provider } from '../../src/agents/pi/providers.js';

/** The wires of model providers. */
export const WIRES = ['openai-completions', 'openai-responses', 'anthropic-messages'] as const;
export type Wire = (typeof WIRES)[number];

/** A request to the server, in the one form that aimock uses for all wires. */
export interface Asked {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly { readonly function: { readonly name: string; readonly description?: string } }[];
  readonly status: number;
}

/** A prepared answer, alone or with its mode of delivery. */
export type ScriptedAnswer = Fixture['response'] | Omit<Fixture, 'match'>;

/** A model provider on a free port, with answers prepared by the test. */
export class ModelServer {
  /** The number of answers whose client disconnected before their end. */
  abandoned = 0;
  /** The bodies of the questions as they came: aimock keeps no images of some wires. */
  readonly bodies: string[] = [];
  readonly mock = new LLMock({ port: 0, host: '127.0.0.1' });

  static async start(): Promise<ModelServer> {
    const server = new ModelServer();
    await server.mock.start();
    const { server: http } = server.mock['serverInstance'] as unknown as { readonly server: Server };
    http.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const n = server.bodies.push('') - 1;
      request.on('data', (chunk: Buffer) => (server.bodies[n] += chunk.toString('latin1')));
      response.once('close', () => {
        if (!response.writableFinished) server.abandoned++;
      });
    });
    return server;
  }

  /** The provider setting for this server. */
  provider(api: Wire, changes: Partial<Provider> = {}): Provider {
    return {
      api,
      base_url: this.mock.url + (api === 'anthropic-messages' ? '' : '/v1'),
      api_key: 'sk-of-the-test',
      ...changes,
    };
  }

  /** Prepares the next answers, in order. Each is used once. */
  answer(...answers: readonly ScriptedAnswer[]): void {
    const base = this.mock.getFixtures().length;
    for (const [i, answer] of answers.entries()) {
      const fixture = 'response' in answer && typeof answer !== 'function' ? answer : { response: answer };
      this.mock.addFixture({ match: { predicate: () => this.asked.length === base + i }, ...fixture });
    }
  }

  get asked(): readonly Asked[] {
    return this.mock.getRequests().map(({ body, response }) => ({
      messages: (body as { messages: ChatMessage[] }).messages,
      tools: (body as { tools?: Asked['tools'] }).tools ?? [],
      status: response.status,
    }));
  }

  /** The joined texts of user messages in request `n`, by default the last one. */
  said(n = this.asked.length - 1): string {
    const messages = this.asked[n]?.messages.filter((message) => message.role === 'user') ?? [];
    return messages.map(({ content }) => textOf(content)).join('\n---\n');
  }

  stop(): Promise<void> {
    return this.mock.stop();
  }
}

export function textOf(content: ChatMessage['content']): string {
  return typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('');
}
