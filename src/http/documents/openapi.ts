import type { INestApplicationContext } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { VERSION } from '../../core/lifecycle/version.js';
import { addExamples } from './openapi-examples.js';
import { nameOperation, separateOperations, toOpenApi31 } from './openapi-forms.js';
import { addProblems } from './openapi-problems.js';

const TOKEN_HELP =
  'A token of `auth.tokens` or `auth.token`. In open mode only administration needs one: the local token.';

/**
 * Builds the OpenAPI 3.1 document of an application, including the controllers of a team's own modules. Requires classes
 * compiled by `nest build`, whose plugin adds the types of DTOs. The application may be a preview.
 */
export async function buildOpenApi(app: INestApplicationContext): Promise<OpenAPIObject> {
  // Loaded on demand: it costs memory that is not needed until the document is requested.
  const { DocumentBuilder, SwaggerModule } = await import('@nestjs/swagger');
  const head = new DocumentBuilder()
    .setOpenAPIVersion('3.1.1')
    .setTitle('OpenClaw gateway: HTTP API')
    .setDescription('Health and administration. Messages travel over WebSocket: see /asyncapi.json.')
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('.', 'The gateway that serves this document, also below a path.')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'opaque', description: TOKEN_HELP })
    .build();
  type Application = Parameters<typeof SwaggerModule.createDocument>[0];
  const document = SwaggerModule.createDocument(app as Application, head, { operationIdFactory: nameOperation });
  return addExamples(separateOperations(addProblems(toOpenApi31(document))));
}
