// Promises: the channel `discord`. Refuses to know: what a reply is and who may write; core/channels decides that.
import { Module } from '@nestjs/common';
import { DiscordDriver } from './discord.driver.js';

@Module({ providers: [DiscordDriver] })
export class DiscordModule {}
