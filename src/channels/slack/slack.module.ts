// Promises: the channel `slack`. Refuses to know: what a reply is and who may write; core/channels decides that.
import { Module } from '@nestjs/common';
import { loadedLater } from '../../core/channels/channel-driver.decorator.js';
import { SlackAccounts } from './accounts.js';
import { SlackEventsController } from './events.controller.js';
import { slackSettings } from './slack.settings.js';

const driver = loadedLater('slack', slackSettings, async () => (await import('./slack.driver.js')).SlackDriver);

@Module({
  controllers: [SlackEventsController],
  providers: [driver, SlackAccounts],
})
export class SlackModule {}
