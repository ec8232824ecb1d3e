import {
  ChannelDriver,
  DeliveryError,
  DriverError,
  toPlainText,
  type ChannelLink,
  type CheckedAccount,
  type Driver,
  type Part,
  type Reading,
  type Update,
  type Updates,
} from 'openclaw-gateway-nest';
import Type from 'typebox';

/** The driver's own settings: `channels.pager.url`, or OPENCLAW_CHANNELS_PAGER_URL. The channel runs when it is set. */
const settings = {
  url: Type.String({ format: 'uri', description: 'The address of the pager service.' }),
};

/** A message as the pager service hands it over. */
interface Page {
  readonly number: number;
  readonly from: string;
  readonly text: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Time that the service may take for one request, in milliseconds. */
const TIMEOUT_MS = 10_000;

/**
 * Speaks to a pager service over HTTP: `GET /pages?after=N` waits for messages after number N, which also confirms those up
 * to N; `POST /pages` sends one. All else is the gateway's: what is stored when, retries, order, who may write.
 */
@ChannelDriver({
  name: 'pager',
  settings,
  capabilities: {
    edits: false,
    maxLength: 240,
    lengthUnit: 'code points',
    minEditIntervalMs: { direct: 0, group: 0 },
  },
})
export class PagerDriver implements Driver<typeof settings> {
  private url = '';
  private readonly over = new AbortController();

  /** `openclaw channels add pager` asks the service before the settings are stored. */
  async check({ url }: { readonly url: string }): Promise<CheckedAccount> {
    this.url = url;
    await this.fetchPages(0, 0, this.over.signal);
    return { name: url };
  }

  async start(link: ChannelLink<typeof settings>, signal: AbortSignal): Promise<void> {
    this.url = link.settings.url;
    await this.fetchPages(0, 0, this.over.signal);
    void this.listen(link, AbortSignal.any([signal, this.over.signal])).catch((error: unknown) => {
      link.fail(error instanceof DriverError ? error : new DriverError('unreachable', String(error)));
    });
  }

  /** The update has everything, so the reading is returned directly. */
  read([{ raw }]: Updates): Reading {
    const { text } = raw as Page;
    return text === '' ? { kind: 'ignored', reason: 'an empty page' } : { kind: 'message', message: { content: text } };
  }

  async send({ id, place, texts }: Part): Promise<string> {
    const body = JSON.stringify({ key: id, to: place.chat, text: toPlainText(texts) });
    const response = await this.request('/pages', { method: 'POST', body });
    if (response.status === 429) {
      const seconds = Number(response.headers.get('retry-after') ?? 1);
      throw new DeliveryError('not_sent', 'the pager service is busy', seconds * 1_000);
    }
    if (response.status === 401) throw new DriverError('bad_credential', 'the pager service refuses this gateway');
    if (response.status >= 500) throw new DeliveryError('unknown', `the pager service failed: ${response.status}`);
    if (!response.ok) throw new DeliveryError('refused', `the pager service refuses the page: ${response.status}`);
    return ((await response.json()) as { id: string }).id;
  }

  async stop(): Promise<void> {
    this.over.abort();
  }

  private async listen(link: ChannelLink<typeof settings>, signal: AbortSignal): Promise<void> {
    for (let after = 0; !signal.aborted;) {
      const pages = await this.fetchPages(after, 30, signal);
      // The next request confirms these pages, so they must be stored before.
      await link.receive(pages.map((page) => toUpdate(link.channel, page)));
      after = pages.at(-1)?.number ?? after;
    }
  }

  private async fetchPages(after: number, waitSeconds: number, signal: AbortSignal): Promise<readonly Page[]> {
    const limit = AbortSignal.timeout(waitSeconds * 1_000 + TIMEOUT_MS);
    const response = await this.request(`/pages?after=${after}&wait=${waitSeconds}`, {
      signal: AbortSignal.any([signal, limit]),
    });
    if (response.status === 401) throw new DriverError('bad_credential', 'the pager service refuses this gateway');
    if (!response.ok) throw new DriverError('unreachable', `the pager service responds with ${response.status}`);
    return (await response.json()) as readonly Page[];
  }

  /** Makes a request. @throws DeliveryError when the outcome is unknown */
  private async request(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.url + path, { signal: AbortSignal.timeout(TIMEOUT_MS), ...init });
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { readonly code?: string };
      const outcome = code === 'ECONNREFUSED' || code === 'ENOTFOUND' ? 'not_sent' : 'unknown';
      throw new DeliveryError(outcome, 'the pager service cannot be reached', undefined, { cause: error });
    }
  }
}

function toUpdate(channel: string, page: Page): Update {
  return {
    id: `${channel}:${page.from}:${page.number}`,
    sender: page.from,
    place: { chat: page.from },
    sentAt: Date.parse(page.at),
    raw: page,
  };
}
