import type { TranscriptMessage } from '../../client/index.js';

/** A message on its own, or several in a row that later ones supersede. */
export interface ThreadItem {
  readonly key: string;
  readonly isEarlier: boolean;
  readonly messages: readonly [TranscriptMessage, ...TranscriptMessage[]];
}

/** Groups the messages of a conversation: superseded ones in a row form one group. */
export function groupEarlier(messages: readonly TranscriptMessage[]): readonly ThreadItem[] {
  const items: { key: string; isEarlier: boolean; messages: [TranscriptMessage, ...TranscriptMessage[]] }[] = [];
  for (const message of messages) {
    const isEarlier = message.supersededBy !== undefined;
    const last = items[items.length - 1];
    if (isEarlier && last?.isEarlier) last.messages.push(message);
    else items.push({ key: `${isEarlier ? 'earlier' : 'message'} ${message.key}`, isEarlier, messages: [message] });
  }
  return items;
}
