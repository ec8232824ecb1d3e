// Promises: the channel `discord`. Refuses to know: what a reply is and who may write; core/channels decides that.
import { Module } from '@nestjs/common';
import { CoreModule } from '../../core/core.module.js';
import { DiscordDriver } from './discord.driver.js';

@Module({ imports: [CoreModule], providers: [DiscordDriver] })
export class DiscordModule {}
