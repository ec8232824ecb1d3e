import { BoundedMap } from '../../core/cache/bounded-map.js';
import { ChannelDriver } from '../../core/channels/channel-driver.decorator.js';
import {
  DeliveryError,
  type ChannelLink,
  type CheckedAccount,
  type Driver,
  type Part,
  type Place,
  type Reading,
  type Target,
  type Update,
  type Updates,
} from '../../core/channels/driver.js';
import { toFault } from '../../core/channels/faults.js';
import { fileOf, withFiles } from '../../core/channels/message-files.js';
import { Clock } from '../../core/time/clock.js';
import { egressFetch } from '../../http/egress-fetch.js';
import { CloudApi, describeRefusal, LimitedCallError, PAIR_LIMIT, RefusedCallError } from './cloud-api.js';
import { sortChange, type Change, type RawMessage, type Status } from './events.js';
import { MAX_LENGTH, measure } from './markup.js';
import { MAX_FILE_BYTES, sendPart } from './outgoing.js';
import { isNumber } from './people.js';
import { findFile, readMessage } from './reading.js';
import { Statuses } from './statuses.js';
import { WhatsappWebhooks } from './webhooks.js';
import { whatsappSettings, type WhatsappSettings } from './whatsapp.settings.js';

/** Time within which a status usually follows a message whose response was lost, in milliseconds. */
const SETTLE_MS = 2_000;
/** Time after the start of a run in which a status of an earlier one may still come, in milliseconds. */
const LATE_STATUS_MS = 30_000;
/** The longest wait for one, less than the time limit of a call of the driver, in milliseconds. */
const MAX_WAIT_MS = 25_000;
/** Time for which people see that a reply is being written, in milliseconds. */
const TYPING_MS = 20_000;
/** Waits after refusals for the limit of one person, in milliseconds: the platform names none. */
const PAIR_WAITS_MS = [4_000, 16_000, 64_000];
const MAX_CHATS = 10_000;

/** Drives the channel `whatsapp`: a phone number of the Cloud API, to which the platform delivers. */
@ChannelDriver({
  name: 'whatsapp',
  settings: whatsappSettings,
  capabilities: {
    edits: false,
    maxLength: MAX_LENGTH,
    lengthUnit: 'UTF-16 units',
    minEditIntervalMs: { direct: 0, group: 0 },
    buttons: true,
    media: { image: MAX_FILE_BYTES, audio: MAX_FILE_BYTES, file: MAX_FILE_BYTES },
    failsLater: true,
  },
})
export class WhatsappDriver implements Driver<WhatsappSettings> {
  readonly measure = measure;
  private readonly over = new AbortController();
  private readonly statuses: Statuses;
  /** When messages were last marked as read and answered by typing, by the monotonic clock. */
  private readonly typing = new BoundedMap<string, number>(MAX_CHATS);
  /** How many times in a row the limit of a person was reached. */
  private readonly limited = new BoundedMap<string, number>(MAX_CHATS);
  private startedAt = 0;
  private link!: ChannelLink<WhatsappSettings>;
  private api!: CloudApi;

  constructor(
    private readonly clock: Clock,
    private readonly webhooks: WhatsappWebhooks,
  ) {
    this.statuses = new Statuses(clock);
  }

  async check(settings: ChannelLink<WhatsappSettings>['settings']): Promise<CheckedAccount> {
    const { access_token: token, phone_number_id: id, api_root: root } = settings;
    const number = await new CloudApi(token, id, root, egressFetch, () => {}).readNumber();
    return {
      name: `+${number}`,
      remarks: ['Enter the URL of the webhook and the verify token on the page of the app.'],
    };
  }

  async start(link: ChannelLink<WhatsappSettings>, signal: AbortSignal): Promise<void> {
    this.link = link;
    this.startedAt = this.clock.elapsed();
    const { access_token: token, phone_number_id: id, api_root: root } = link.settings;
    this.api = new CloudApi(token, id, root, egressFetch, (time) => link.noteTime(time));
    try {
      await this.api.readNumber();
    } catch (error) {
      throw toFault(error);
    }
    const remove = this.webhooks.add(link.account, (change) => this.take(change));
    for (const end of [signal, this.over.signal]) {
      end.addEventListener('abort', remove, { once: true });
      if (end.aborted) remove();
    }
  }

  read([{ raw }]: Updates): Reading | Promise<Reading> {
    const message = raw as RawMessage;
    const reading = readMessage(message);
    const file = findFile(message);
    if (reading.kind !== 'message' || !file) return reading;
    return withFiles(reading, [file], this.link, ({ id }) => this.api.open(id, MAX_FILE_BYTES));
  }

  /** Marks the message as read as well: the platform knows no typing without it. */
  async showTyping({ chat, replyTo: message, isGroup }: Place): Promise<void> {
    if (isGroup || message === undefined) return;
    const now = this.clock.elapsed();
    if (now - (this.typing.get(chat) ?? -TYPING_MS) < TYPING_MS) return;
    this.typing.set(chat, now);
    await this.api.post({ status: 'read', message_id: message, typing_indicator: { type: 'text' } });
  }

  async send(part: Part): Promise<string> {
    const { chat } = part.place;
    try {
      const ref = await sendPart(part, fileOf(part), this.api, this.link);
      this.limited.delete(chat);
      this.typing.delete(chat);
      return ref;
    } catch (error) {
      if (error instanceof LimitedCallError) throw this.holdBack(chat, error);
      if (!(error instanceof DeliveryError) || error.outcome !== 'unknown') throw error;
      const status = await this.statuses.find(part.id, SETTLE_MS, this.over.signal);
      if (!status) throw error;
      if (status.failure) throw new RefusedCallError(status.failure.code, status.failure.description);
      return status.ref;
    }
  }

  /** A status names the part. Those of an earlier run come soon after the start: the platform delivers them again. */
  async lookUp(part: Part): Promise<{ readonly ref: string } | undefined> {
    const left = this.startedAt + LATE_STATUS_MS - this.clock.elapsed();
    const status = await this.statuses.find(part.id, Math.min(left, MAX_WAIT_MS), this.over.signal);
    return status && { ref: status.ref };
  }

  /** The platform takes a message only within a day after the person has last written. */
  async findPlace(target: Target): Promise<Place> {
    return 'sender' in target ? { chat: target.sender } : { chat: target.groupId, isGroup: true };
  }

  async stop(): Promise<void> {
    this.over.abort();
  }

  /** Returns the error with the time to wait: for one person, or for the number. */
  private holdBack(chat: string, error: LimitedCallError): DeliveryError {
    if (error.code === PAIR_LIMIT) {
      const times = this.limited.get(chat) ?? 0;
      this.limited.set(chat, times + 1);
      return new DeliveryError('not_sent', error.message, PAIR_WAITS_MS[times] ?? PAIR_WAITS_MS.at(-1));
    }
    return new DeliveryError('not_sent', error.message, error.retryAfterMs, { isAccountWide: true });
  }

  /** Takes a change. When it resolves, all of it is stored or ignored. */
  private async take(change: Change): Promise<void> {
    const updates: Update[] = [];
    for (const event of sortChange(change)) {
      switch (event.kind) {
        case 'update':
          updates.push(event.update);
          break;
        case 'status':
          this.noteStatus(event.status);
          break;
        case 'moved':
          // What was written before belongs to the old ID.
          await this.receive(updates.splice(0));
          await this.link.joinSenders([event.from, event.to]);
          // A number may get another owner, who must not get what was meant for the one before.
          if (!isNumber(event.from)) await this.link.moveChat(event.from, event.to);
          break;
        case 'ignored':
          this.link.log.info({ field: change.field, reason: event.reason }, 'an item of a delivery is left out');
      }
    }
    await this.receive(updates);
  }

  private async receive(updates: readonly Update[]): Promise<void> {
    if (updates.length > 0) await this.link.receive(updates);
  }

  private noteStatus(status: Status): void {
    this.statuses.note(status);
    if (!status.failure) return;
    this.link.reportFailed(status.ref, describeRefusal(status.failure.code, status.failure.description));
  }
}
