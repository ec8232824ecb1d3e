import { createReadStream } from 'node:fs';
import { Controller, Get, Header, NotFoundException, Param, StreamableFile } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { DocumentsService } from './documents.service.js';

/** Files of swagger-ui that the page needs; no others are served. */
const ASSETS: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
]);

/** No inline script: the content security policy does not allow any. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>OpenClaw gateway: HTTP API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** `validatorUrl` is null so that nothing is sent to a service on the internet. */
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', validatorUrl: null, deepLinking: true });\n`;

/** Serves the API documents publicly: OpenAPI with a page for reading it, and AsyncAPI. */
@ApiExcludeController()
@Controller()
export class DocumentsController {
  constructor(private readonly documents: DocumentsService) {}

  @Get('openapi.json')
  readOpenApi(): Promise<object> {
    return this.documents.getOpenApi();
  }

  @Get('asyncapi.json')
  readAsyncApi(): object {
    return this.documents.getAsyncApi();
  }

  @Get('docs')
  @Header('Content-Type', 'text/html; charset=utf-8')
  readPage(): string {
    return PAGE;
  }

  @Get('docs/start.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  readStart(): string {
    return START;
  }

  /** @throws NotFoundException for anything that the page does not need */
  @Get('docs/:name')
  readAsset(@Param('name') name: string): StreamableFile {
    const type = ASSETS.get(name);
    if (type === undefined) throw new NotFoundException(`There is no page /docs/${encodeURIComponent(name)}`);
    return new StreamableFile(createReadStream(this.documents.findAsset(name)), { type });
  }
}
