import type { CDPSession } from 'playwright-core';

/** Size above which a document is not loaded, in bytes: a browser needs many seconds to lay it out. */
const MAX_DOCUMENT_BYTES = 16_000_000;
/** Documents whose sizes are counted at a time. */
const MAX_DOCUMENTS = 100;

/** Leaves a page whose document, or that of a frame, is too large. `onLeft` gets the reason. */
export async function watchDocuments(cdp: CDPSession, onLeft: (reason: string) => void): Promise<void> {
  const sizes = new Map<string, number>();
  cdp.on('Network.requestWillBeSent', ({ requestId, type }) => {
    if (type !== 'Document') return;
    if (sizes.size >= MAX_DOCUMENTS) sizes.clear();
    sizes.set(requestId, 0);
  });
  cdp.on('Network.dataReceived', ({ requestId, dataLength }) => {
    const size = (sizes.get(requestId) ?? Number.NaN) + dataLength;
    if (Number.isNaN(size)) return;
    sizes.set(requestId, size);
    if (size <= MAX_DOCUMENT_BYTES) return;
    sizes.clear();
    onLeft(`the page is too large to be read: more than ${MAX_DOCUMENT_BYTES / 1_000_000} MB`);
    cdp
      .send('Page.stopLoading')
      .then(() => cdp.send('Page.navigate', { url: 'about:blank' }))
      .catch(() => {});
  });
  // Data that pages load is not kept.
  await cdp.send('Network.enable', { maxTotalBufferSize: 0, maxResourceBufferSize: 0 });
}
