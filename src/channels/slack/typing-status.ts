import type { Place } from '../../core/channels/driver.js';
import type { Clock } from '../../core/time/clock.js';
import type { WebApi } from './web-api.js';

const STATUS = 'is thinking…';
/** Slack shows a status for two minutes; it is renewed before, in milliseconds. */
const RENEW_MS = 90_000;

/** The status line of threads: Slack shows none elsewhere. */
export class TypingStatus {
  /** When the status of a thread was set, by the monotonic clock. */
  private readonly shown = new Map<string, number>();

  constructor(
    private readonly api: WebApi,
    private readonly clock: Clock,
  ) {}

  /** @throws DeliveryError, DriverError */
  async show({ chat, thread }: Place): Promise<void> {
    const key = `${chat} ${thread}`;
    const now = this.clock.elapsed();
    if (thread === undefined || now - (this.shown.get(key) ?? -Infinity) < RENEW_MS) return;
    this.shown.set(key, now);
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
