import Type from 'typebox';
import { defineSettings } from '../config/section.js';
import { BusyPolicy } from '../queue/queue.settings.js';

/** Settings of each channel. A driver declares its own settings below `channels.NAME`. */
export const channelSettings = defineSettings({
  channels: Type.Record(
    Type.String(),
    Type.Object({ busy_policy: Type.Optional(BusyPolicy) }, { additionalProperties: false }),
    { default: {}, description: 'Settings by channel name: `{busy_policy}`.', 'x-later-below': true },
  ),
});
