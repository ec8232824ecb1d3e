import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, NotFoundException, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { readAcceptEncoding, sendPageFile } from './page.controller.js';
import { PageFiles } from './page-files.js';

/** Serves the page that makes a browser a device. It is public; without a code it is nothing to the gateway. */
@ApiExcludeController()
@Controller('node')
export class NodePageController {
  constructor(private readonly files: PageFiles) {}

  /** @throws NotFoundException when the page was not built */
  @Get()
  async readPage(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    // The addresses in the page are relative to one without a slash at its end.
    if (new URL(request.url ?? '', 'http://gateway').pathname.endsWith('/')) {
      response.writeHead(302, { Location: '../node' }).end();
      return;
    }
    const page = await this.files.findNodePage(readAcceptEncoding(request));
    if (!page) throw new NotFoundException('The page for devices is not built; `npm run build` builds it');
    response.setHeader('Content-Security-Policy', buildPolicy(request.headers.host ?? ''));
    // What the page offers, and nothing else.
    response.setHeader('Permissions-Policy', 'camera=(self), geolocation=(self), microphone=()');
    sendPageFile(response, page, 'no-cache');
  }
}

/**
 * The page runs its own files, connects to its own gateway alone, and loads and frames nothing else. `host` has passed the
 * rules for Host; it is named for browsers in which 'self' does not include WebSockets.
 */
function buildPolicy(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self' ws://${host} wss://${host}`,
    "img-src 'self'",
    "media-src 'self' blob:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types lit-html',
  ].join('; ');
}
