import { describe, expect, it } from 'vitest';
import { SubscribeMessage, WebSocketGateway, type WsResponse } from '@nestjs/websockets';
import { FrameClient } from '../../support/frame-client.js';
import { EchoGateway, startTransport } from '../../support/transport-app.js';

describe('gateway classes of an application', () => {
  const start = (...gateways: NonNullable<Parameters<typeof startTransport>[0]>['gateways'] & object) =>
    startTransport({ gateways });

  it('[T-48] stop the start when two handle the same type, and both are named', async () => {
    @WebSocketGateway(18789)
    class Rival {
      @SubscribeMessage('ping')
      ping(): void {}
    }
    await expect(start(EchoGateway, Rival)).rejects.toThrow('EchoGateway and Rival both handle "ping"');
  });

  it("[T-48] stop the start when a type is neither the protocol's nor vendor.name", async () => {
    @WebSocketGateway(18789)
    class Odd {
      @SubscribeMessage('stream_end')
      end(): void {}
    }
    await expect(start(Odd)).rejects.toThrow('Odd handles "stream_end", which is not a frame type');
  });

  it('[T-48] stop the start when one declares a path', async () => {
    @WebSocketGateway(18789, { path: '/own' })
    class Elsewhere {}
    await expect(start(Elsewhere)).rejects.toThrow('Elsewhere: a gateway class has no path');
  });

  it('[T-48] may name other ports, but are served on the one port', async () => {
    @WebSocketGateway(4711)
    class Extension {
      @SubscribeMessage('acme.hello')
      hello(): WsResponse<object> {
        return { event: 'acme.hello', data: { hello: 'world' } };
      }
    }
    const gateway = await start(EchoGateway, Extension);
    const client = await FrameClient.open(gateway.port);
    expect((await client.answerTo(client.send('acme.hello'))).payload).toEqual({ hello: 'world' });
    await client.answerTo(client.send('ping'));
    await gateway.close();
  });
});
