import type { CDPSession, Frame } from 'playwright-core';
import type { Clock } from '../../../core/time/clock.js';
import { pastChange } from './between-documents.js';
import { SECRET_FIELDS } from './page-probe.js';
import type { Tab } from './tab.js';
import { within } from './within.js';

/** Time for a frame to cover its secret fields, in milliseconds. */
const COVER_TIMEOUT_MS = 1_000;
/** Time for another document to take the place of the one that is shown, in milliseconds. */
const CHANGE_TIMEOUT_MS = 3_000;
/** Longest side of a picture that every model takes, in pixels. */
const MAX_SIDE = 8_000;
/** Size above which a picture is made smaller as JPEG, in bytes: models take no larger ones. */
const MAX_PNG_BYTES = 3_500_000;
const JPEG_QUALITY = 70;

/** A picture of a page. */
export interface Picture {
  readonly bytes: Buffer;
  readonly mimeType: 'image/png' | 'image/jpeg';
  readonly width: number;
  readonly height: number;
  /** True if the page goes on beyond it. */
  readonly isCut: boolean;
}

interface Wanted {
  readonly ref?: string | undefined;
  readonly isFull: boolean;
}

interface Clip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Runs in a frame: shows dots in place of the values of secret fields, or ends that. */
const coverScript = (isOn: boolean) => `(() => {
  const waiting = [document];
  for (let root = waiting.pop(); root; root = waiting.pop()) {
    for (const element of root.querySelectorAll('*')) if (element.shadowRoot) waiting.push(element.shadowRoot);
    for (const field of root.querySelectorAll(${JSON.stringify(SECRET_FIELDS)}))
      ${isOn ? "field.style.setProperty('-webkit-text-security', 'disc', 'important')" : "field.style.removeProperty('-webkit-text-security')"};
  }
})()`;

/**
 * Takes a picture of a tab, of the element with a ref, or of the whole page, without the values of secret fields. Waits for
 * nothing that the page loads.
 */
export function takePicture(tab: Tab, clock: Clock, wanted: Wanted): Promise<Picture> {
  return pastChange(clock, CHANGE_TIMEOUT_MS, () => takeNow(tab, clock, wanted));
}

async function takeNow(tab: Tab, clock: Clock, { ref, isFull }: Wanted): Promise<Picture> {
  const cdp = await tab.protocol();
  const frames = tab.page.frames();
  await coverSecrets(frames, clock, true);
  try {
    const whole = ref === undefined ? await findPageClip(cdp, isFull) : await findElementClip(tab, cdp, ref);
    const clip = { ...whole, width: Math.min(whole.width, MAX_SIDE), height: Math.min(whole.height, MAX_SIDE) };
    const png = await capture(cdp, clip, {});
    const isSmall = png.byteLength <= MAX_PNG_BYTES;
    return {
      bytes: isSmall ? png : await capture(cdp, clip, { format: 'jpeg', quality: JPEG_QUALITY }),
      mimeType: isSmall ? 'image/png' : 'image/jpeg',
      width: Math.ceil(clip.width),
      height: Math.ceil(clip.height),
      isCut: clip.width < whole.width || clip.height < whole.height,
    };
  } finally {
    await coverSecrets(frames, clock, false);
  }
}

async function coverSecrets(frames: readonly Frame[], clock: Clock, isOn: boolean): Promise<void> {
  const script = coverScript(isOn);
  await Promise.all(frames.map((frame) => within(clock, COVER_TIMEOUT_MS, frame.evaluate(script)).catch(() => {})));
}

async function findPageClip(cdp: CDPSession, isFull: boolean): Promise<Clip> {
  const { cssContentSize, cssVisualViewport } = await cdp.send('Page.getLayoutMetrics');
  if (isFull) return cssContentSize;
  const { pageX, pageY, clientWidth, clientHeight } = cssVisualViewport;
  return { x: pageX, y: pageY, width: clientWidth, height: clientHeight };
}

async function findElementClip(tab: Tab, cdp: CDPSession, ref: string): Promise<Clip> {
  const box = await tab.locate(ref).boundingBox();
  if (!box || box.width === 0 || box.height === 0) throw new Error(`${ref} has no place on the page`);
  const { cssVisualViewport } = await cdp.send('Page.getLayoutMetrics');
  return { ...box, x: box.x + cssVisualViewport.pageX, y: box.y + cssVisualViewport.pageY };
}

async function capture(
  cdp: CDPSession,
  clip: Clip,
  format: { readonly format?: 'jpeg'; readonly quality?: number },
): Promise<Buffer> {
  const { data } = await cdp.send('Page.captureScreenshot', {
    ...{ clip: { ...clip, scale: 1 }, captureBeyondViewport: true },
    ...format,
  });
  return Buffer.from(data, 'base64');
}
