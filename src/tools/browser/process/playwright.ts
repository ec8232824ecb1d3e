import type { BrowserType } from 'playwright-core';

/** Returns the library, which is loaded with the first call: a gateway without a browser does not pay for it. */
export async function loadChromium(): Promise<BrowserType> {
  // Set, it would let the browser go past the proxy to this machine.
  delete process.env['PLAYWRIGHT_DISABLE_FORCED_CHROMIUM_PROXIED_LOOPBACK'];
  // Otherwise a screenshot waits for fonts that a server never sends.
  process.env['PW_TEST_SCREENSHOT_NO_FONTS_READY'] = '1';
  const { chromium } = await import('playwright-core');
  return chromium;
}
