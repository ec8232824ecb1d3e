import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser } from '../support/browser.js';
import { BrowserGateway, TestSite } from '../support/tool-browser.js';

let folder: string;
let chromium: ChildProcess;
let site: TestSite;
let secret: TestSite;
let browser: BrowserGateway;

/** Starts a Chromium as one that runs in another container, and returns the address of its DevTools. */
async function startChromium(): Promise<string> {
  folder = mkdtempSync(join(tmpdir(), 'elsewhere-'));
  const args = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--remote-debugging-port=0',
    `--user-data-dir=${folder}`,
  ];
  chromium = spawn(await findBrowser(), [...args, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let said = '';
  for await (const chunk of chromium.stderr!) {
    said += String(chunk);
    const port = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return `http://localhost:${port}`;
  }
  throw new Error(`the Chromium does not start: ${said}`);
}

beforeAll(async () => {
  const url = await startChromium();
  site = await TestSite.start();
  secret = await TestSite.start();
  browser = await BrowserGateway.start({ 'tools.browser.allow_hosts': [site.host], 'tools.browser.cdp_url': url });
});
afterAll(async () => {
  await browser.close();
  expect(chromium.exitCode).toBeNull();
  process.kill(-chromium.pid!, 'SIGKILL');
  await once(chromium, 'exit');
  await site.close();
  await secret.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe('a Chromium elsewhere', () => {
  it('[U-14] opens pages in contexts of their own, and is left running', async () => {
    const url = site.answer('/cookies', (request, response) =>
      response
        .writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'who=ann' })
        .end(
          `<p>cookies: ${request.headers.cookie ?? 'none'}</p><p id="rtc"></p><script>rtc.textContent = 'rtc ' + typeof RTCPeerConnection</script>`,
        ),
    );
    await browser.call('browser.open', { url });
    const again = await browser.call('browser.open', { url });
    expect(again.page).toContain('cookies: who=ann');
    expect(again.page).toContain('rtc undefined');
    expect((await browser.call('browser.open', { url }, 's_two')).page).toContain('cookies: none');
    await browser.call('browser.close', {}, 's_two');
    expect(await browser.call('browser.close')).toMatchObject({ ok: true });
    expect((await browser.call('browser.open', { url })).page).toContain('cookies: none');
  });

  it('[U-14] reaches only what the guard allows, and hands over no files', async () => {
    secret.page('/', 'TOP SECRET');
    expect((await browser.call('browser.open', { url: secret.url('/') })).ok).toBe(false);
    const url = site.page(
      '/inner',
      `<p id="out">waiting</p><iframe src="${secret.url('/')}"></iframe><script>
      fetch('${secret.url('/')}', { mode: 'no-cors' }).finally(() => { out.textContent = 'done'; });</script>`,
    );
    await browser.call('browser.open', { url });
    expect((await browser.call('browser.wait', { for: 'done' })).page).not.toContain('TOP SECRET');
    expect(secret.requests).toEqual([]);
    const download = await browser.call('browser.download', { url: site.url('/inner') });
    expect(download.page).toContain('a browser that runs elsewhere cannot hand over files');
  });
});

it('[U-14] that cannot be reached gives an error that names the setting', async () => {
  const lonely = await BrowserGateway.start({ 'tools.browser.cdp_url': 'http://127.0.0.1:1' });
  const outcome = await lonely.call('browser.open', { url: 'http://example.com/' });
  expect(outcome).toMatchObject({ ok: false, page: expect.stringContaining('tools.browser.cdp_url') as string });
  await lonely.close();
});
