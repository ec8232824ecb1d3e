import { describe, expect, it } from 'vitest';
import { refOf, useBrowser } from '../support/tool-browser.js';

const suite = useBrowser();

describe('the browser', () => {
  it('[U-01] opens a page, fills in its form through refs and returns what has changed', async () => {
    const url = suite.site.page(
      '/form',
      `<title>Order</title><h1>Order</h1><form onsubmit="event.preventDefault(); out.textContent = 'Sent to ' + user.value">
       <label>Name <input id="user"></label><button>Send</button></form><p id="out"></p>`,
    );
    const opened = await suite.browser.call('browser.open', { url });
    expect(opened.page).toContain('heading "Order" [level=1]');
    expect(opened.page).toContain('title: "Order"');

    const filled = await suite.browser.call('browser.act', {
      ref: refOf(opened, 'textbox "Name"'),
      action: 'fill',
      value: 'Ann',
    });
    expect(filled.page).toMatch(/added - textbox "Name" .*: "Ann"/);
    const sent = await suite.browser.call('browser.act', { ref: refOf(opened, 'button "Send"'), action: 'click' });
    expect(sent.page).toContain('Sent to Ann');
    expect(await suite.browser.call('browser.close')).toMatchObject({ ok: true, content: { open_tabs: 0 } });
    expect([suite.browser.listProcesses(), suite.browser.listRuns()]).toEqual([[], []]);
  });
});
