// Prints the OpenAPI document of the build. It must be loaded from dist, because the compiler's plugin adds the types
// of DTOs.
import { NestFactory } from '@nestjs/core';
import { SilentLogs } from '../../dist/core/telemetry/logs.js';
import { GatewayModule } from '../../dist/gateway.module.js';
import { buildOpenApi } from '../../dist/http/documents/openapi.js';
import { loadSettings } from '../../dist/settings.js';

// Defaults only: the document must not depend on the machine. A preview instantiates nothing and opens nothing.
const settings = loadSettings({ NODE_ENV: 'production' }, {}, '/nowhere');
const root = GatewayModule.forRoot({ settings, logs: new SilentLogs() });
const app = await NestFactory.create(root, { preview: true, logger: false, abortOnError: false });
process.stdout.write(`${JSON.stringify(await buildOpenApi(app), undefined, 2)}\n`);
