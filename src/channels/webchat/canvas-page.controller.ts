import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Controller, Get, NotFoundException, Param, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HttpAuthGuard, RequireScope, Speaker } from '../../auth/index.js';
import { APP_PAGE_TYPE, CanvasService } from '../../core/canvas/canvas.service.js';
import type { Principal } from '../../core/identity/principal.js';
import { MediaService } from '../../core/media/media.service.js';
import type { MediaRecord } from '../../core/store/index.js';
import { APP_PRELUDE, CANVAS_PRELUDE } from './canvas-prelude.js';
import { PageFiles } from './page-files.js';
import { buildPolicy, readAcceptEncoding, sendPageFile } from './serve-page.js';

const GONE = 'This page has changed, or its address has expired';

/**
 * Serves pages that agents drew. A frame can send no credential, so an address holds a capability: for one version of one
 * surface, and for minutes. The agent's page is never a document of its own, but in a frame of ours.
 */
@ApiExcludeController()
@Controller('canvas')
export class CanvasPageController {
  constructor(
    private readonly canvas: CanvasService,
    private readonly media: MediaService,
    private readonly files: PageFiles,
  ) {}

  /** Leads who has a credential to an address of the page. @throws GatewayError FORBIDDEN, NOT_FOUND */
  @Get(':surface')
  @UseGuards(HttpAuthGuard)
  @RequireScope('messages:write')
  async redirect(
    @Param('surface') surfaceId: string,
    @Speaker() caller: Principal,
    @Res() response: ServerResponse,
    @Query('session_id') sessionId?: string,
  ): Promise<void> {
    const { url } = await this.canvas.open(caller, sessionId, surfaceId);
    response.writeHead(302, { Location: `../${url}` }).end();
  }

  /** The page of ours around the frame. @throws NotFoundException */
  @Get(':surface/:capability')
  async readOuter(
    @Param('surface') surfaceId: string,
    @Param('capability') capability: string,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    await this.find(surfaceId, capability);
    const page = await this.files.findCanvasPage(readAcceptEncoding(request));
    if (!page) throw new NotFoundException('The page is not built; `npm run build` builds it');
    response.setHeader('Content-Security-Policy', buildPolicy(request, OUTER_POLICY));
    sendPageFile(response, page, 'no-store');
  }

  /** The agent's page, for a frame. @throws NotFoundException */
  @Get(':surface/:capability/page')
  async readPage(
    @Param('surface') surfaceId: string,
    @Param('capability') capability: string,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const record = await this.find(surfaceId, capability);
    const wanted = request.headers['sec-fetch-dest'] ?? 'iframe';
    if (wanted !== 'iframe') {
      response.writeHead(302, { Location: `../${encodeURIComponent(capability)}` }).end();
      return;
    }
    const page = await buffer(await this.media.openStream(record));
    response.setHeader('Content-Security-Policy', PAGE_POLICY);
    // `frame-ancestors` decides who may frame it.
    response.removeHeader('X-Frame-Options');
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.setHeader('Cache-Control', 'no-store');
    const prelude = record.mimeType === APP_PAGE_TYPE ? APP_PRELUDE : CANVAS_PRELUDE;
    response.end(Buffer.concat([Buffer.from(prelude), page]));
  }

  private async find(surfaceId: string, capability: string): Promise<MediaRecord> {
    const record = await this.canvas.findPage(surfaceId, capability);
    if (!record) throw new NotFoundException(GONE);
    return record;
  }
}

/** The page around the frame adds itself that it frames the agent's page alone. */
const OUTER_POLICY = ["frame-src 'self'"];

/**
 * The agent's page runs what is in it and reaches nothing: no network, no origin, no storage, no form, no window. Only pages
 * of the gateway may frame it. `sandbox` holds it apart also where the frame around it does not.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  'img-src data: blob:',
  'font-src data:',
  'media-src data: blob:',
  "frame-ancestors 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  'sandbox allow-scripts',
].join('; ');
