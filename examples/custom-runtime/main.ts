import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createHttpAdapter, GatewayWsAdapter } from 'openclaw-gateway-nest';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule, createHttpAdapter(), { forceCloseConnections: true });
app.useWebSocketAdapter(new GatewayWsAdapter(app));
app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
await app.listen(process.env['PORT'] ?? 18_789, '127.0.0.1');
console.log(`ready at ${await app.getUrl()}`);
