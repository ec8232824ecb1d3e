import type { Frame, Page } from 'playwright-core';
import type { Clock } from '../../../core/time/clock.js';
import { LateError, within } from './within.js';

/** Time for the page itself, and for one of its frames, to respond, in milliseconds. */
const PAGE_TIMEOUT_MS = 3_000;
const FRAME_TIMEOUT_MS = 1_000;
/** Frames that are looked at; a page may have thousands. */
const MAX_FRAMES = 50;
/** Size above which a page is not read, so that its description fits into memory. */
const MAX_ELEMENTS = 200_000;
const MAX_TEXT_LENGTH = 16_000_000;

/** The facts that a frame returns about itself. */
interface FrameFacts {
  readonly secrets: readonly string[];
  readonly elements: number;
  readonly textLength: number;
}

/** A page as it was probed. */
export interface ProbedPage {
  /** Values of its secret fields. */
  readonly secrets: readonly string[];
  /** Frames that do not respond. */
  readonly silent: readonly Frame[];
}

/** Fields whose values a page hides or asks for once, as an expression of CSS. */
export const SECRET_FIELDS =
  'input[type="password" i], [autocomplete*="password" i], [autocomplete*="cc-" i], [autocomplete*="one-time-code" i]';

/** Runs in a frame; looks into open shadow trees too. */
const READ_FACTS = `(() => {
  const secrets = [];
  let elements = 0;
  const waiting = [document];
  for (let root = waiting.pop(); root; root = waiting.pop()) {
    const all = root.querySelectorAll('*');
    elements += all.length;
    if (elements > ${MAX_ELEMENTS}) break;
    for (const element of all) if (element.shadowRoot) waiting.push(element.shadowRoot);
    for (const field of root.querySelectorAll(${JSON.stringify(SECRET_FIELDS)}))
      if (typeof field.value === 'string' && field.value !== '') secrets.push(field.value);
  }
  return { secrets: secrets.slice(0, 200), elements, textLength: document.documentElement?.textContent.length ?? 0 };
})()`;

/**
 * Asks each frame of a page for its secrets and whether it responds.
 * @throws LateError if the page itself does not respond; Error if it is too large to be read
 */
export async function probePage(page: Page, clock: Clock): Promise<ProbedPage> {
  const main = page.mainFrame();
  const frames = page.frames().slice(0, MAX_FRAMES);
  const facts = await Promise.all(
    frames.map(async (frame) => {
      try {
        const asked = frame.evaluate<FrameFacts>(READ_FACTS);
        return await within(clock, frame === main ? PAGE_TIMEOUT_MS : FRAME_TIMEOUT_MS, asked);
      } catch (error) {
        if (frame === main) throw error;
        // A frame that has gone meanwhile is not silent.
        return error instanceof LateError ? frame : undefined;
      }
    }),
  );
  const read = facts.filter((one) => one !== undefined && 'secrets' in one);
  const [elements, text] = [sum(read.map((one) => one.elements)), sum(read.map((one) => one.textLength))];
  if (elements > MAX_ELEMENTS || text > MAX_TEXT_LENGTH)
    throw new Error(`the page is too large to be read (${elements} elements, ${text} characters)`);
  const silent = facts.filter((one) => one !== undefined && 'frameElement' in one);
  return { secrets: read.flatMap((one) => one.secrets), silent: [...silent, ...page.frames().slice(MAX_FRAMES)] };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

/** Runs `read` while silent frames are not part of the page: a snapshot would wait for them. */
export async function withoutFrames<T>(silent: readonly Frame[], clock: Clock, read: () => Promise<T>): Promise<T> {
  await setVisibility(silent, clock, 'hidden');
  try {
    return await read();
  } finally {
    await setVisibility(silent, clock, '');
  }
}

async function setVisibility(frames: readonly Frame[], clock: Clock, value: string): Promise<void> {
  await Promise.all(
    frames.map(async (frame) => {
      const setting = (async () => {
        const element = await frame.frameElement();
        await element.evaluate(
          (node, visibility) =>
            (node as unknown as { style: CSSVisibility }).style.setProperty('visibility', visibility),
          value,
        );
      })();
      // It may have gone.
      await within(clock, FRAME_TIMEOUT_MS, setting).catch(() => {});
    }),
  );
}

interface CSSVisibility {
  setProperty(name: 'visibility', value: string): void;
}
