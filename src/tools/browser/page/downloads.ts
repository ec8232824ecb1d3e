import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CDPSession } from 'playwright-core';
import type { RunningBrowser } from '../process/running-browser.js';
import { isDownloadStart, type Tab } from './tab.js';
import { within } from './within.js';

/** Time for a download to begin after what should make it begin, in milliseconds. */
const BEGIN_TIMEOUT_MS = 5_000;

/** A file that a page has given, in a folder of the run until it is released. */
export interface DownloadedFile {
  /** As the page calls it: text of the page. */
  readonly name: string;
  readonly url: string;
  readonly stream: () => AsyncIterable<Uint8Array>;
  readonly release: () => Promise<void>;
}

interface Begun {
  readonly guid: string;
  readonly url: string;
  readonly suggestedFilename: string;
}

interface Progress {
  readonly guid: string;
  readonly totalBytes: number;
  readonly receivedBytes: number;
  readonly state: 'inProgress' | 'completed' | 'canceled';
}

/**
 * Takes the one file that `begin` makes a tab download. Downloads are denied at all other times, and one that becomes larger
 * than `maxBytes` is stopped while it runs. One at a time, since the browser does not say which page a download is of.
 * @throws Error with the reason if there is no download, or if it failed
 */
export function takeDownload(
  running: RunningBrowser,
  tab: Tab,
  maxBytes: number,
  begin: () => Promise<void>,
): Promise<DownloadedFile> {
  return running.exclusively(() => take(running, tab, maxBytes, begin));
}

async function take(
  running: RunningBrowser,
  tab: Tab,
  maxBytes: number,
  begin: () => Promise<void>,
): Promise<DownloadedFile> {
  const folder = running.downloads;
  if (folder === undefined) throw new Error('a browser that runs elsewhere cannot hand over files');
  const { cdp } = running;
  const { targetInfo } = await (await tab.protocol()).send('Target.getTargetInfo');
  const { browserContextId } = targetInfo;
  const target = browserContextId === undefined ? {} : { browserContextId };
  const watch = watchDownload(cdp, target, maxBytes);
  tab.isTakingDownload = true;
  try {
    await cdp.send('Browser.setDownloadBehavior', {
      ...{ behavior: 'allowAndName', downloadPath: folder, eventsEnabled: true },
      ...target,
    });
    await begin().catch((error: unknown) => {
      if (!isDownloadStart(error)) throw error;
    });
    // A click may return before the download begins.
    await within(running.clock, BEGIN_TIMEOUT_MS, watch.begun).catch(() => {
      throw new Error('no download has begun: it is a page, or nothing');
    });
    const { guid, url, suggestedFilename } = await watch.ended;
    const path = join(folder, guid);
    return {
      name: suggestedFilename,
      url,
      stream: () => createReadStream(path),
      release: () => rm(path, { force: true }),
    };
  } finally {
    watch.stop();
    tab.isTakingDownload = false;
    await cdp.send('Browser.setDownloadBehavior', { behavior: 'deny', eventsEnabled: true, ...target }).catch(() => {});
  }
}

function watchDownload(cdp: CDPSession, target: { readonly browserContextId?: string }, maxBytes: number) {
  const { promise: ended, resolve, reject } = Promise.withResolvers<Begun>();
  ended.catch(() => {});
  const { promise: begins, resolve: noteBegin } = Promise.withResolvers<void>();
  let begun: Begun | undefined;
  const cancel = (guid: string) => void cdp.send('Browser.cancelDownload', { guid, ...target }).catch(() => {});
  const onBegin = (event: Begun) => {
    if (begun) return cancel(event.guid);
    begun = event;
    noteBegin();
  };
  const onProgress = ({ guid, totalBytes, receivedBytes, state }: Progress) => {
    if (!begun || guid !== begun.guid) return;
    if (Math.max(totalBytes, receivedBytes) > maxBytes) {
      cancel(guid);
      reject(new Error(`the file has more than ${maxBytes} bytes (media.max_bytes)`));
    } else if (state === 'completed') resolve(begun);
    else if (state === 'canceled') reject(new Error('the download failed'));
  };
  cdp.on('Browser.downloadWillBegin', onBegin);
  cdp.on('Browser.downloadProgress', onProgress);
  return {
    ended,
    begun: begins,
    stop: () => {
      if (begun) cancel(begun.guid);
      cdp.off('Browser.downloadWillBegin', onBegin);
      cdp.off('Browser.downloadProgress', onProgress);
    },
  };
}
