import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { expect, it } from 'vitest';
import { createHttpAdapter } from './index.js';

@Module({})
class EmptyModule {}

it('a port that is in use is named, with what to do, also in an application that listens itself', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const app = await NestFactory.create(EmptyModule, createHttpAdapter(), { logger: false, abortOnError: false });
  await expect(app.listen(port, '127.0.0.1')).rejects.toThrow(
    `The port ${port} of 127.0.0.1 is in use. Stop the program`,
  );
  await app.close();
  other.close();
});
