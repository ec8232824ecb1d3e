import { BoundedMap } from '../../core/cache/bounded-map.js';
import { ExpiringMap } from '../../core/cache/expiring-map.js';
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
import { withFiles } from '../../core/channels/kit/message-files.js';
import { Clock } from '../../core/time/clock.js';
import { LimitedCallError, RefusedCallError } from '../platform/verdict.js';
import { CloudApi, describeRefusal, PAIR_LIMIT } from './cloud-api.js';
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
const PAIR_WAITS_MS = [4_000, 16_000];
const LAST_WAIT_MS = 64_000;
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
  /** The chats that show typing. */
  private readonly typing: ExpiringMap<string, true>;
  /** Number of times in a row that the limit of a person was reached. */
  private readonly limited = new BoundedMap<string, number>(MAX_CHATS);
  private startedAt = 0;
  private link!: ChannelLink<WhatsappSettings>;
  private api!: CloudApi;

  constructor(
    private readonly clock: Clock,
    private readonly webhooks: WhatsappWebhooks,
  ) {
    this.statuses = new Statuses(clock);
    this.typing = new ExpiringMap(MAX_CHATS, TYPING_MS, () => clock.elapsed());
  }

  async check(settings: ChannelLink<WhatsappSettings>['settings']): Promise<CheckedAccount> {
    const { access_token: token, phone_number_id: id, api_root: root } = settings;
    const number = await new CloudApi({ token, root, clock: this.clock }, id).readNumber();
    return {
      name: `+${number}`,
      remarks: ['Enter the URL of the webhook and the verify token on the page of the app.'],
    };
  }

  async start(link: ChannelLink<WhatsappSettings>, signal: AbortSignal): Promise<void> {
    const { clock } = this;
    this.link = link;
    this.startedAt = clock.elapsed();
    const { access_token: token, phone_number_id: id, api_root: root } = link.settings;
    this.api = new CloudApi({ token, root, clock, noteTime: (time) => link.noteTime(time) }, id);
    await this.api.readNumber();
    const intake = AbortSignal.any([signal, this.over.signal]);
    this.webhooks.add(link.account, (change) => this.take(change), intake);
  }

  read([{ raw }]: Updates): Reading | Promise<Reading> {
    const message = raw as RawMessage;
    const reading = readMessage(message);
    const file = findFile(message);
    if (reading.kind !== 'message' || !file) return reading;
    return withFiles(reading, [file], this.link, {
      maxBytes: MAX_FILE_BYTES,
      open: ({ id }) => this.api.open(id, MAX_FILE_BYTES),
    });
  }

  /** Marks the message as read as well: the platform knows no typing without it. */
  async showTyping({ chat, replyTo: message, isGroup }: Place): Promise<void> {
    if (isGroup || message === undefined || this.typing.has(chat)) return;
    this.typing.set(chat, true);
    await this.api.mark({ status: 'read', message_id: message, typing_indicator: { type: 'text' } });
  }

  async send(part: Part): Promise<string> {
    const { chat } = part.place;
    try {
      const ref = await sendPart(part, this.api, this.link);
      this.limited.delete(chat);
      this.typing.delete(chat);
      return ref;
    } catch (error) {
      if (error instanceof LimitedCallError && error.code === PAIR_LIMIT) throw this.holdBack(chat, error);
      if (!(error instanceof DeliveryError) || error.outcome !== 'unknown') throw error;
      const status = await this.statuses.find(part.id, SETTLE_MS, this.over.signal);
      if (!status) throw error;
      if (status.failure) throw new RefusedCallError(status.failure.code, describeFailure(status.failure));
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

  /** Returns the error with the time to wait for one person: the platform names none. */
  private holdBack(chat: string, { code, message }: LimitedCallError): DeliveryError {
    const times = this.limited.get(chat) ?? 0;
    this.limited.set(chat, times + 1);
    return new LimitedCallError(code, message, PAIR_WAITS_MS[times] ?? LAST_WAIT_MS);
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
          // Earlier messages belong to the old ID.
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
    this.link.reportFailed(status.ref, describeFailure(status.failure));
  }
}

function describeFailure({ code, description }: NonNullable<Status['failure']>): string {
  return `${code} ${describeRefusal(code, description)}`;
}
