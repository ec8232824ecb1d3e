import { BoundedMap } from '../../core/cache/bounded-map.js';
import { ExpiringMap } from '../../core/cache/expiring-map.js';
import { DeliveryError, type Part, type Place } from '../../core/channels/driver.js';
import { fileOf } from '../../core/channels/kit/message-files.js';
import type { Log } from '../../core/telemetry/logs.js';
import { HOUR_MS, type Clock } from '../../core/time/clock.js';
import type { Bot } from './events.js';
import { toStream } from './markup.js';
import { toText, type Raw } from '../../core/channels/kit/raw.js';
import { RefusedCallError, unlessRefused, type Codes } from '../platform/verdict.js';
import type { WebApi } from './web-api.js';

/** Streams that are begun within a minute. Slack lets a workspace begin, and end, 20. */
const MAX_STARTS = 15;
const MINUTE_MS = 60_000;
/** Time for which a chat has no streams after Slack has refused one, in milliseconds. */
const REFUSED_MS = HOUR_MS;
const MAX_OPEN = 1_000;
const MAX_REFUSED = 1_000;

/** The refusal of an edit of a message whose stream was not ended. */
export const STREAMING: Codes = new Set(['streaming_state_conflict']);

/** The parts of {@link Streams}. */
export interface StreamsOptions {
  readonly api: WebApi;
  readonly clock: Clock;
  readonly log: Log;
  readonly bot: Bot;
}

/**
 * Messages that grow as Slack shows the replies of assistants: text can only be appended, and Slack ends a stream by itself
 * after some minutes. A text that does not continue the one before, a refusal and a lost response end the stream; the message is edited
 * then, which can be repeated.
 */
export class Streams {
  /** The texts that the open streams show, by the times of their messages. */
  private readonly open = new BoundedMap<string, string>(MAX_OPEN);
  /** The chats that have refused a stream. */
  private readonly refused: ExpiringMap<string, true>;
  private starts: number[] = [];

  constructor(private readonly options: StreamsOptions) {
    this.refused = new ExpiringMap(MAX_REFUSED, REFUSED_MS, () => options.clock.elapsed());
  }

  isOpen(ref: string): boolean {
    return this.open.get(ref) !== undefined;
  }

  /**
   * Begins a message that grows. Resolves with its time; with undefined where there can be no stream, or Slack refuses one.
   * @throws DeliveryError, DriverError
   */
  async start(part: Part): Promise<string | undefined> {
    const { place } = part;
    const recipient = this.findRecipient(place);
    if (!recipient || !part.isGrowing || part.buttons || fileOf(part) || !this.mayStart(place.chat)) return undefined;
    const text = toStream(part.texts);
    try {
      const target = { channel: place.chat, thread_ts: place.thread, ...recipient };
      const { ts } = await this.options.api.call('chat.startStream', { ...target, markdown_text: text });
      const ref = toText(ts) ?? '';
      this.open.set(ref, text);
      return ref;
    } catch (error) {
      if (!(error instanceof RefusedCallError)) throw error;
      this.options.log.info({ error, chat: place.chat }, 'Slack refuses a stream; messages are edited in its place');
      this.refused.set(place.chat, true);
      return undefined;
    }
  }

  /**
   * Appends what a part has more than its message shows. Resolves with false where the message has to be edited; its stream
   * is ended then.
   * @throws DeliveryError when it can be tried again; DriverError
   */
  async append(ref: string, part: Part): Promise<boolean> {
    const shown = this.open.get(ref);
    if (shown === undefined) return false;
    const text = toStream(part.texts);
    if (part.isGrowing && text === shown) return true;
    if (!part.isGrowing || !text.startsWith(shown)) return this.end(ref, part.place);
    try {
      await this.call('chat.appendStream', ref, part.place, { markdown_text: text.slice(shown.length) });
      this.open.set(ref, text);
      return true;
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.outcome === 'not_sent') throw error;
      // It may have been appended.
      return this.end(ref, part.place);
    }
  }

  /** Ends the stream of a message. Resolves with false. @throws DeliveryError when it can be tried again; DriverError */
  async end(ref: string, place: Place): Promise<false> {
    // Slack refuses it for one that it has ended.
    await unlessRefused(this.call('chat.stopStream', ref, place), undefined);
    this.open.delete(ref);
    return false;
  }

  private call(method: string, ref: string, { chat }: Place, more: Raw = {}): Promise<Raw> {
    return this.options.api.call(method, { channel: chat, ts: ref, ...more });
  }

  private mayStart(chat: string): boolean {
    if (this.refused.has(chat)) return false;
    const now = this.options.clock.elapsed();
    this.starts = this.starts.filter((at) => now - at < MINUTE_MS);
    if (this.starts.length >= MAX_STARTS) return false;
    this.starts.push(now);
    return true;
  }

  /** Returns the parameters that name the person for whom a stream is; undefined where there can be none. */
  private findRecipient({ thread, isGroup, person }: Place): Raw | undefined {
    if (thread === undefined) return undefined;
    if (!isGroup) return {};
    if (person === undefined) return undefined;
    const [user, team = this.options.bot.team] = person.split('/').toReversed();
    return { recipient_user_id: user, recipient_team_id: team };
  }
}
