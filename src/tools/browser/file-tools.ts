import Type, { type Static } from 'typebox';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { Tool, type ToolExecutor } from '../../core/tools/tool.decorator.js';
import { ToolResult, type CallReview, type ReviewContext, type ToolCallContext } from '../../core/tools/tool.js';
import { Clock } from '../../core/time/clock.js';
import { text } from '../../protocol/text.js';
import { BrowsersService } from './process/browsers.service.js';
import { takeDownload } from './page/downloads.js';
import { markPageText } from './page/marked-text.js';
import { PageFilesService } from './page/page-files.js';
import { buildResult } from './page/page-result.js';
import { CALL_TIMEOUT_MS, PERMISSION, Ref } from './page-tools.js';
import { takePicture } from './page/picture.js';
import { cutName, placeOf } from './act-review.js';
import type { Tab } from './page/tab.js';
import { readUnchanged } from './page/unchanged.js';

/** Longest name of a file that is shown, in characters. */
const MAX_NAME_LENGTH = 200;
/** Longest address that a person is shown for an approval, in characters: all of it is in the arguments. */
const MAX_ADDRESS_LENGTH = 1_000;

const ScreenshotParameters = Type.Object(
  {
    ref: Type.Optional(Ref),
    full_page: Type.Optional(Type.Boolean({ description: 'All of it, not only what is in view.' })),
  },
  { additionalProperties: false },
);
const DownloadParameters = Type.Object(
  {
    ref: Type.Optional(Ref),
    url: Type.Optional(text({ min: 1, max: 4_096, controls: false }, 'An address with http: or https:.')),
  },
  { additionalProperties: false },
);
type Download = Static<typeof DownloadParameters>;

const shared = { permissions: [PERMISSION], timeoutMs: CALL_TIMEOUT_MS };

/** Shows a picture of the current page to people and to the model. */
@Tool({
  ...shared,
  name: 'browser.screenshot',
  description:
    'Shows a picture of the current page, or of the element with a ref, in the conversation. To read a page, browser.snapshot is better.',
  parameters: ScreenshotParameters,
})
export class BrowserScreenshotTool implements ToolExecutor<typeof ScreenshotParameters> {
  constructor(
    private readonly browsers: BrowsersService,
    private readonly files: PageFilesService,
    private readonly clock: Clock,
  ) {}

  execute(
    { ref, full_page: isFull = false }: Static<typeof ScreenshotParameters>,
    call: ToolCallContext,
  ): Promise<ToolResult> {
    return this.browsers.use(call, async (own) => {
      const tab = own.current;
      const { bytes, width, height, isCut } = await takePicture(tab, this.clock, { ref, isFull });
      const { mediaId, mimeType } = await this.files.keep(call, bytes);
      if (isCut) own.addNote('the picture shows the beginning only: the page is larger');
      const shown = buildResult(own, [`url: ${JSON.stringify(tab.hider(tab.page.url()))}`]);
      const alt = `A picture of ${placeOf(tab.hider(tab.page.url()))}`;
      return new ToolResult({ media_id: mediaId, mime_type: mimeType, width, height, ...shown }, [
        { mediaId, mimeType, alt },
      ]);
    });
  }
}

/** Takes a file from a page. */
@Tool({
  ...shared,
  name: 'browser.download',
  description:
    'Downloads the file that an element of the current page gives when it is clicked, or the one at an address, and returns its media_id.',
  parameters: DownloadParameters,
})
export class BrowserDownloadTool implements ToolExecutor<typeof DownloadParameters> {
  constructor(
    private readonly browsers: BrowsersService,
    private readonly files: PageFilesService,
    private readonly config: ConfigStoreService,
  ) {}

  /** Every download needs an approval. */
  async review(download: Download, call: ReviewContext): Promise<CallReview> {
    const shown = await this.browsers.useIfOpen(call, async (own) => describeDownload(download, own.active));
    return { needsApproval: true, shown: shown ?? describeDownload(download, undefined) };
  }

  execute(download: Download, call: ToolCallContext): Promise<object> {
    return this.browsers.use(call, async (own) => {
      const { url, ref } = download;
      const address = url === undefined ? undefined : (await this.browsers.checkUrl(url)).href;
      const tab = address === undefined ? own.current : await own.openTab();
      try {
        if (ref !== undefined) await readUnchanged(tab, ref);
        if (describeDownload(download, tab) !== call.approved)
          throw new Error('the page has changed since the download was approved; call it again');
        const running = await this.browsers.getRunning();
        const begin = async () => {
          if (address === undefined) await tab.locate(ref ?? '').click();
          else await tab.page.goto(address, { waitUntil: 'commit' });
        };
        const file = await takeDownload(running, tab, this.config.get('media.max_bytes'), begin);
        const { mediaId, mimeType, sizeBytes } = await this.files
          .keep(call, file.stream())
          .finally(() => void file.release());
        const page = markPageText([`name: ${JSON.stringify(file.name.slice(0, MAX_NAME_LENGTH))}`]);
        return { media_id: mediaId, mime_type: mimeType, size_bytes: sizeBytes, page };
      } finally {
        if (address !== undefined) await tab.close();
      }
    });
  }
}

/** Returns what a download does. @throws Error if its parameters or its ref do not fit */
function describeDownload({ ref, url }: Download, tab: Tab | undefined): string {
  if ((ref === undefined) === (url === undefined)) throw new Error('give either ref or url');
  if (url !== undefined)
    return `download the file at ${JSON.stringify(url.slice(0, MAX_ADDRESS_LENGTH).toWellFormed())}`;
  if (!tab) throw new Error('no page is open; use browser.open');
  const node = tab.shown?.find(ref ?? '');
  if (!node) throw new Error(`there is no ${ref} on the page that was shown`);
  return `download the file of ${cutName(node)} on ${placeOf(tab.page.url())}`;
}
