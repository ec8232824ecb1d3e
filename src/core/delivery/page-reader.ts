import type { FramePage, FrameStore } from '../store/index.js';
import type { Log } from '../telemetry/logs.js';
import type { Clock } from '../time/clock.js';
import { Slots } from './slots.js';

/** Size of a page: about as much as a reader that is behind is sent at once. */
const PAGE_FRAMES = 256;
const PAGE_BYTES = 262_144;

/** Number of pages that are read at a time. The pages of one batch of reads are in memory together. */
export const MAX_PAGES = 4;

/** Pause after a failed read, in milliseconds. */
const RETRY_DELAY_MS = 1_000;

/** Reads the logs of sessions in pages, for readers that are behind. */
export class PageReader {
  private readonly slots = new Slots(MAX_PAGES);

  constructor(
    private readonly frames: FrameStore,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /**
   * Reads the page after `afterSeq`, which has frames unless retention has deleted the next one. Resolves with undefined
   * after a pause when there is none: the store failed, or does not show the frames yet. Try again then.
   */
  async read(sessionId: string, afterSeq: number): Promise<FramePage | undefined> {
    try {
      const page = await this.slots.run(() => this.frames.readFrames(sessionId, afterSeq, PAGE_FRAMES, PAGE_BYTES));
      if (page.frames.length > 0 || page.firstSeq > afterSeq + 1) return page;
      await this.clock.sleep(RETRY_DELAY_MS);
      return undefined;
    } catch (error) {
      this.log.warn(
        { error, session_id: sessionId },
        'the log could not be read for a reader; trying again in a second',
      );
      await this.clock.sleep(RETRY_DELAY_MS);
      return undefined;
    }
  }
}
