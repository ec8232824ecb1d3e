// Promises: upload and download of files over HTTP. Refuses to know: where they are stored, and who owns them.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { MediaController } from './media.controller.js';

@Module({ imports: [AuthModule], controllers: [MediaController] })
export class MediaModule {}
