import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Controller,
  Get,
  HttpCode,
  Param,
  PayloadTooLargeException,
  Post,
  Query,
  Req,
  Res,
  UnsupportedMediaTypeException,
  UseGuards,
} from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiOkResponse, ApiQuery, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireScope, Speaker } from '../auth/index.js';
import { checkScope, type Principal } from '../core/identity/principal.js';
import { MediaService, UploadRefusedError } from '../core/media/media.service.js';
import { NodeCallsService } from '../core/nodes/node-calls.service.js';
import { readChunks, sendBody } from '../http/index.js';
import { GatewayError } from '../protocol/index.js';
import { UploadedMediaDto } from './media.dto.js';

/** Upload and download of files attached to messages. */
@ApiTags('media')
@ApiBearerAuth()
@Controller('media')
@UseGuards(HttpAuthGuard)
export class MediaController {
  constructor(
    private readonly media: MediaService,
    private readonly calls: NodeCallsService,
  ) {}

  /** Stores a file: its bytes are the body of the request. That of a device belongs to the session of a call under way. */
  @Post()
  @HttpCode(201)
  @ApiQuery({ name: 'call_id', required: false, description: 'For devices: the call whose content it is.' })
  @ApiConsumes('application/octet-stream')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  async upload(
    @Req() request: IncomingMessage,
    @Speaker() caller: Principal,
    @Query('call_id') callId?: string,
  ): Promise<UploadedMediaDto> {
    const sessionId = await this.findSession(caller, callId);
    if (/^(multipart\/|application\/x-www-form-urlencoded)/i.test(request.headers['content-type'] ?? '')) {
      throw new UnsupportedMediaTypeException(
        'The body must be the bytes of the file itself, without a form: for example curl --data-binary @FILE',
      );
    }
    try {
      const { mediaId, mimeType, sizeBytes } = await this.media.upload(caller, readChunks(request));
      if (sessionId !== undefined) await this.media.give(mediaId, sessionId);
      return { media_id: mediaId, mime_type: mimeType, size_bytes: sizeBytes };
    } catch (error) {
      if (!(error instanceof UploadRefusedError)) throw error;
      if (error.kind === 'too-large') throw new PayloadTooLargeException(error.message);
      throw new UnsupportedMediaTypeException(error.message);
    }
  }

  /** Returns the session that an upload belongs to from the start. @throws GatewayError FORBIDDEN, INVALID_PAYLOAD */
  private async findSession(caller: Principal, callId: string | undefined): Promise<string | undefined> {
    if (caller.role === 'node') {
      if (callId === undefined) throw new GatewayError('FORBIDDEN', { reason: 'a device names its call: ?call_id=ID' });
      return this.calls.getSessionOf(caller.clientId ?? caller.principal, callId);
    }
    checkScope(caller, 'messages:write');
    return undefined;
  }

  /** The bytes of a file, for callers who may read its session; never served as a type that a browser executes. */
  @Get(':id')
  @ApiOkResponse({ content: { '*/*': { schema: { type: 'string', format: 'binary' } } } })
  @RequireScope('sessions:read')
  async download(
    @Param('id') id: string,
    @Speaker() caller: Principal,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const record = await this.media.getReadable(caller, id);
    const stream = await this.media.openStream(record);
    const isShown = /^(image|audio|video)\//.test(record.mimeType);
    response.writeHead(200, {
      'Content-Type': record.mimeType === 'text/plain' ? 'text/plain; charset=utf-8' : record.mimeType,
      'Content-Length': record.sizeBytes,
      'Content-Disposition': isShown ? 'inline' : 'attachment',
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'private, max-age=86400, immutable',
    });
    await sendBody(response, stream);
  }
}
