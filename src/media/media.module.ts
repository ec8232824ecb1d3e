// Promises: files in and out over HTTP. Refuses to know: where they are kept, and whose they are.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { MediaController } from './media.controller.js';

@Module({ imports: [AuthModule], controllers: [MediaController] })
export class MediaModule {}
