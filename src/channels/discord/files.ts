import type { FileRef } from '../../core/channels/kit/message-files.js';
import { isRefused, type Codes } from '../platform/verdict.js';
import { listFiles } from './reading.js';
import type { DiscordRest } from './rest.js';
import type { Message } from './updates.js';

/** Larger files are not fetched, in bytes. */
export const MAX_FETCHED_BYTES = 100_000_000;
/** Responses to a link that has expired. */
const EXPIRED: Codes = new Set([401, 403, 404, 410]);

/**
 * Opens a file that a person has sent. A link that has expired is asked for again.
 * @throws DeliveryError, DriverError
 */
export async function openFile(
  { id: link }: FileRef,
  message: Message,
  rest: DiscordRest,
): Promise<AsyncIterable<Uint8Array>> {
  try {
    return await rest.open(link);
  } catch (error) {
    if (!isRefused(error, EXPIRED)) throw error;
    const current = await rest.call<Message>('GET', `/channels/${message.channel_id}/messages/${message.id}`);
    const fresh = listFiles(current).find((file) => pathOf(file.id) === pathOf(link));
    if (!fresh) throw error;
    return rest.open(fresh.id);
  }
}

const pathOf = (link: string) => URL.parse(link)?.pathname;
