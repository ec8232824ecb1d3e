// Promises: the channel `telegram`. Refuses to know: what a reply is and who may write; core/channels decides that.
import { Module } from '@nestjs/common';
import { CoreModule } from '../../core/core.module.js';
import { TelegramDriver } from './telegram.driver.js';

@Module({ imports: [CoreModule], providers: [TelegramDriver] })
export class TelegramModule {}
