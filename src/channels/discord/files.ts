import { DeliveryError } from '../../core/channels/driver.js';
import type { FileRef } from '../../core/channels/message-files.js';
import { readBody } from '../../core/channels/network-error.js';
import { listFiles } from './reading.js';
import type { DiscordRest } from './rest.js';
import type { Message } from './updates.js';

/** Larger files are not fetched, in bytes. */
const MAX_FETCHED_BYTES = 100_000_000;
const HOSTS: ReadonlySet<string> = new Set(['cdn.discordapp.com', 'media.discordapp.net']);
/** Responses to a link that has expired. */
const EXPIRED: ReadonlySet<number> = new Set([401, 403, 404, 410]);

/** The files that people have sent. They are fetched from Discord's own hosts only. */
export class Files {
  constructor(
    private readonly rest: DiscordRest,
    /** The host of the API, for a server of one's own. */
    private readonly ownHost: string,
  ) {}

  /**
   * Opens a file of a message. A link that has expired is asked for again.
   * @throws DeliveryError, DriverError
   */
  async open({ id: link, sizeBytes = 0 }: FileRef, message: Message): Promise<AsyncIterable<Uint8Array>> {
    if (sizeBytes > MAX_FETCHED_BYTES) throw new DeliveryError('refused', 'the file is too large');
    let response = await this.request(link);
    if (EXPIRED.has(response.status)) {
      const { channel_id: chat, id } = message;
      const current = await this.rest.call<Message>('GET', `/channels/${chat}/messages/${id}`);
      const fresh = listFiles(current).find((file) => pathOf(file.id) === pathOf(link));
      if (fresh) response = await this.request(fresh.id);
    }
    if (response.ok && response.body) return readBody(response.body, 'Discord');
    const { status } = response;
    const outcome = status < 500 && status !== 429 ? 'refused' : 'not_sent';
    throw new DeliveryError(outcome, `Discord responds with HTTP ${status}`);
  }

  private async request(link: string): Promise<Response> {
    const url = new URL(link);
    const isKnown = (url.protocol === 'https:' && HOSTS.has(url.host)) || url.host === this.ownHost;
    if (!isKnown) throw new DeliveryError('refused', 'the file is not on a host of Discord');
    return this.rest.download(url);
  }
}

const pathOf = (link: string) => new URL(link).pathname;
