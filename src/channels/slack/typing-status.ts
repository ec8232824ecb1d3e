import { ExpiringMap } from '../../core/cache/expiring-map.js';
import type { Place } from '../../core/channels/driver.js';
import type { Clock } from '../../core/time/clock.js';
import type { WebApi } from './web-api.js';

const STATUS = 'is thinking…';
/** Slack shows a status for two minutes; it is renewed before, in milliseconds. */
const RENEW_MS = 90_000;
const MAX_THREADS = 10_000;

/** The status line of threads: Slack shows none elsewhere. */
export class TypingStatus {
  /** The threads whose status was set. */
  private readonly shown: ExpiringMap<string, true>;

  constructor(
    private readonly api: WebApi,
    clock: Clock,
  ) {
    this.shown = new ExpiringMap(MAX_THREADS, RENEW_MS, () => clock.elapsed());
  }

  /** @throws DeliveryError, DriverError */
  async show({ chat, thread }: Place): Promise<void> {
    const key = `${chat} ${thread}`;
    if (thread === undefined || this.shown.has(key)) return;
    this.shown.set(key, true);
    await this.set(chat, thread, STATUS);
  }

  /** Notes that Slack has taken the status back. */
  forget({ chat, thread }: Place): void {
    this.shown.delete(`${chat} ${thread}`);
  }

  /** @throws DeliveryError, DriverError */
  async hide({ chat, thread }: Place): Promise<void> {
    if (thread !== undefined && this.shown.delete(`${chat} ${thread}`)) await this.set(chat, thread, '');
  }

  private async set(chat: string, thread: string, status: string): Promise<void> {
    await this.api.call('assistant.threads.setStatus', { channel_id: chat, thread_ts: thread, status });
  }
}
