/** A server of Telegram's Bot API, as far as a bench needs it: it delivers what people write, and notes what bots send. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A call of a bot that shows a text. */
export interface ShownText {
  readonly method: 'sendMessage' | 'editMessageText';
  readonly chat: number;
  readonly text: string;
  /** When the call arrived, in Unix milliseconds. */
  readonly at: number;
}

type Parameters = Readonly<Record<string, unknown>>;

/** The platform, in this process. */
export class TelegramPlatform implements AsyncDisposable {
  readonly shown: ShownText[] = [];
  private readonly updates: { readonly update_id: number; readonly message: object }[] = [];
  private readonly server = createServer((request, response) => void this.serve(request, response));
  private written = 0;
  private wake: () => void = () => {};

  static async start(): Promise<TelegramPlatform> {
    const platform = new TelegramPlatform();
    platform.server.listen(0, '127.0.0.1');
    await once(platform.server, 'listening');
    return platform;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A person writes to the bot. */
  write(chat: number, text: string): void {
    const id = ++this.written;
    const person = { id: chat, is_bot: false, first_name: 'Ann' };
    const date = Math.floor(Date.now() / 1_000);
    const message = { message_id: id, from: person, chat: { id: chat, type: 'private' }, date, text };
    this.updates.push({ update_id: id, message });
    this.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const method = request.url?.split('/').at(-1) ?? '';
    const parameters = (await json(request).catch(() => ({}))) as Parameters;
    const result = await this.run(method, parameters, at);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ ok: true, result }));
  }

  private async run(method: string, parameters: Parameters, at: number): Promise<unknown> {
    switch (method) {
      case 'getMe':
        return { id: 7_000_000_001, is_bot: true, first_name: 'Bench', username: 'bench_bot' };
      case 'getWebhookInfo':
        return { url: '', pending_update_count: 0 };
      case 'getUpdates':
        return this.poll(Number(parameters['offset'] ?? 0), Number(parameters['timeout'] ?? 0));
      case 'sendMessage':
      case 'editMessageText': {
        const [chat, text] = [Number(parameters['chat_id']), String(parameters['text'])];
        this.shown.push({ method, chat, text, at });
        return { message_id: Number(parameters['message_id'] ?? 1_000_000 + this.shown.length), chat: { id: chat } };
      }
      default:
        return true;
    }
  }

  private async poll(offset: number, seconds: number): Promise<readonly object[]> {
    while (this.updates[0] && this.updates[0].update_id < offset) this.updates.shift();
    if (this.updates.length === 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, seconds * 1_000).unref();
      });
    }
    return this.updates.slice(0, 100);
  }
}
