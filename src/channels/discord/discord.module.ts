// Promises: the channel `discord`. Refuses to know: what a reply is and who may write; core/channels decides that.
import { Module } from '@nestjs/common';
import { loadedLater } from '../../core/channels/channel-driver.decorator.js';
import { discordSettings } from './discord.settings.js';

const driver = loadedLater('discord', discordSettings, async () => (await import('./discord.driver.js')).DiscordDriver);

@Module({ providers: [driver] })
export class DiscordModule {}
