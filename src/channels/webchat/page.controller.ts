import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, NotFoundException, Param, Redirect, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PageFiles } from './page-files.js';
import { buildPolicy, readAcceptEncoding, redirectFromSlash, sendPageFile } from './serve-page.js';

/** The names of these files contain a hash of their content. */
const CACHE_PERMANENTLY = 'public, max-age=31536000, immutable';

/** Redirects the address of the gateway to the web chat. */
@ApiExcludeController()
@Controller()
export class RootController {
  /** The address is relative: a proxy may serve the gateway below a path. */
  @Get()
  @Redirect('chat', 302)
  redirect(): void {}
}

/** Serves the web chat's page and its files. They are public; its data is not. */
@ApiExcludeController()
@Controller('chat')
export class PageController {
  constructor(private readonly files: PageFiles) {}

  /** @throws NotFoundException when the page was not built */
  @Get()
  async readPage(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    if (redirectFromSlash(request, response, 'chat')) return;
    const page = await this.files.findPage(readAcceptEncoding(request));
    if (!page) throw new NotFoundException('The web chat is not built; `npm run build` builds it');
    response.setHeader('Content-Security-Policy', buildPolicy(request, CHAT_POLICY));
    response.setHeader('Permissions-Policy', 'camera=(), microphone=(self), geolocation=()');
    sendPageFile(response, page, 'no-cache');
  }

  /**
   * Serves the page that draws diagrams, for a sandboxed frame of the chat.
   * @throws NotFoundException when the page was not built
   */
  @Get('diagram')
  async readDiagramFrame(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const page = await this.files.findDiagramFrame(readAcceptEncoding(request));
    if (!page) throw new NotFoundException('The web chat is not built; `npm run build` builds it');
    response.setHeader('Content-Security-Policy', FRAME_POLICY);
    // `frame-ancestors` decides who may frame it.
    response.removeHeader('X-Frame-Options');
    sendPageFile(response, page, 'no-cache');
  }

  /** @throws NotFoundException for anything that the build did not produce */
  @Get('assets/:name')
  async readAsset(
    @Param('name') name: string,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const asset = await this.files.findAsset(name, readAcceptEncoding(request));
    if (!asset) throw new NotFoundException(`There is no file /chat/assets/${encodeURIComponent(name)}`);
    // The sandboxed frame has an origin of its own, which cannot be named.
    response.setHeader('Access-Control-Allow-Origin', '*');
    sendPageFile(response, asset, CACHE_PERMANENTLY);
  }
}

/**
 * The policy of the page in the frame: it runs its own files, and draws with inline styles. It may load nothing else, and
 * only the chat may frame it. `sandbox` holds it apart also when it is opened by itself.
 */
const FRAME_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "frame-ancestors 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  'sandbox allow-scripts',
].join('; ');

/**
 * The chat loads pictures and sound only from its gateway or from inline data. It frames pages of the gateway; it adds itself
 * that it is the one for diagrams alone (`restrictFrames`).
 */
const CHAT_POLICY = [
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "font-src 'self'",
  "frame-src 'self'",
  'trusted-types lit-html dompurify',
];
