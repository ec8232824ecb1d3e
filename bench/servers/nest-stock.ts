/**
 * The gateway class of the Nest documentation, with the stock `WsAdapter`. Decorators are applied as functions, since
 * Node strips types but does not compile decorators.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

interface Message {
  readonly id: string;
}

class StockGateway {
  handle({ id }: Message): object {
    return {
      event: 'message_ack',
      data: { id: `a-${id}`, timestamp: Date.now(), correlation_id: id, payload: { id, status: 'queued' } },
    };
  }
}
const { prototype } = StockGateway;
MessageBody()(prototype, 'handle', 0);
SubscribeMessage('message_in')(
  prototype,
  'handle',
  Object.getOwnPropertyDescriptor(prototype, 'handle') as PropertyDescriptor,
);
WebSocketGateway(0)(StockGateway);

class StockModule {}
Module({ providers: [StockGateway] })(StockModule);

const app = await NestFactory.create(StockModule, { logger: false });
app.useWebSocketAdapter(
  new WsAdapter(app, {
    messageParser: (bytes) => {
      const message = JSON.parse((bytes as Buffer).toString()) as Message & { readonly type: string };
      return { event: message.type, data: message };
    },
  }),
);
await app.listen(0, '127.0.0.1');
process.stdout.write(`ready at ${await app.getUrl()}\n`);
