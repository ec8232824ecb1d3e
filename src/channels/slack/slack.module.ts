// Promises: the channel `slack`. Refuses to know: what a reply is and who may write; core/channels decides that.
import { Module } from '@nestjs/common';
import { SlackAccounts } from './accounts.js';
import { SlackEventsController } from './events.controller.js';
import { SlackDriver } from './slack.driver.js';

@Module({
  controllers: [SlackEventsController],
  providers: [SlackDriver, SlackAccounts],
})
export class SlackModule {}
