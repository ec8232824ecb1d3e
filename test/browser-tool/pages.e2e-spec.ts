import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BrowserGateway, refOf, TestSite } from '../support/tool-browser.js';

let site: TestSite;
let browser: BrowserGateway;
beforeAll(async () => {
  site = await TestSite.start();
  browser = await BrowserGateway.start({ 'tools.browser.allow_hosts': [site.host] });
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

describe('the browser', () => {
  it('[U-01] opens a page, fills in its form through refs and tells what has changed', async () => {
    const url = site.page(
      '/form',
      `<title>Order</title><h1>Order</h1><form onsubmit="event.preventDefault(); out.textContent = 'Sent to ' + user.value">
       <label>Name <input id="user"></label><button>Send</button></form><p id="out"></p>`,
    );
    const opened = await browser.call('browser.open', { url });
    expect(opened.page).toContain('heading "Order" [level=1]');
    expect(opened.page).toContain('title: "Order"');

    const filled = await browser.call('browser.act', {
      ref: refOf(opened, 'textbox "Name"'),
      action: 'fill',
      value: 'Ann',
    });
    expect(filled.page).toMatch(/added - textbox "Name" .*: "Ann"/);
    const sent = await browser.call('browser.act', { ref: refOf(opened, 'button "Send"'), action: 'click' });
    expect(sent.page).toContain('Sent to Ann');
    expect(await browser.call('browser.close')).toMatchObject({ ok: true, content: { open_tabs: 0 } });
    expect([browser.listProcesses(), browser.listRuns()]).toEqual([[], []]);
  });
});
