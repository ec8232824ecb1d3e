import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, NotFoundException, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PageFiles } from './page-files.js';
import { buildPolicy, redirectFromSlash, sendPageFile } from './serve-page.js';

/**
 * Serves the console, at the address of each thing that it shows: the page reads it. The page is public; its data is not, so
 * that the page says what there is not.
 */
@ApiExcludeController()
@Controller('console')
export class ConsolePageController {
  constructor(private readonly files: PageFiles) {}

  /** @throws NotFoundException when the page was not built */
  @Get(['/', '*place'])
  async readPage(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const segments = new URL(request.url ?? '', 'http://gateway').pathname.split('/').filter((part) => part !== '');
    if (redirectFromSlash(request, response, segments.at(-1) ?? 'console')) return;
    const page = await this.files.findConsolePage();
    if (!page) throw new NotFoundException('The console is not built; `npm run build` builds it');
    response.setHeader('Content-Security-Policy', buildPolicy(request, CONSOLE_POLICY));
    response.setHeader('Permissions-Policy', 'camera=(), microphone=(), geolocation=()');
    sendPageFile(response, { ...page, body: relateTo(page.body, segments.length - 1) }, 'no-cache');
  }
}

/** Writes the addresses of the files of the page for an address that is `depth` segments below `/console`. */
function relateTo(page: Buffer, depth: number): Buffer {
  return Buffer.from(page.toString().replaceAll('"chat/', `"${'../'.repeat(depth)}chat/`));
}

/** The console shows conversations with their pictures and formulas, for which it loads a font. It frames nothing. */
const CONSOLE_POLICY = [
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "font-src 'self'",
  'trusted-types lit-html dompurify',
];
