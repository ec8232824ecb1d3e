import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, NotFoundException, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PageFiles } from './page-files.js';
import { buildPolicy, readAcceptEncoding, redirectFromSlash, sendPageFile } from './serve-page.js';

/** Serves the page that makes a browser a device. It is public; without a code it is nothing to the gateway. */
@ApiExcludeController()
@Controller('node')
export class NodePageController {
  constructor(private readonly files: PageFiles) {}

  /** @throws NotFoundException when the page was not built */
  @Get()
  async readPage(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    if (redirectFromSlash(request, response, 'node')) return;
    const page = await this.files.findNodePage(readAcceptEncoding(request));
    if (!page) throw new NotFoundException('The page for devices is not built; `npm run build` builds it');
    response.setHeader('Content-Security-Policy', buildPolicy(request, NODE_POLICY));
    // What the page offers, and nothing else.
    response.setHeader('Permissions-Policy', 'camera=(self), geolocation=(self), microphone=()');
    sendPageFile(response, page, 'no-cache');
  }
}

/** The page shows what its camera took, and loads and frames nothing else. */
const NODE_POLICY = ["img-src 'self'", "media-src 'self' blob:", 'trusted-types lit-html'];
