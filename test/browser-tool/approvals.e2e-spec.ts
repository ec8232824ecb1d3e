import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { refOf, useBrowser } from '../support/tool-browser.js';

const suite = useBrowser();

/** A shop that notes what it gets. */
function openShop(): { readonly url: string; readonly sent: string[] } {
  const sent: string[] = [];
  suite.site.answer('/pay', (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      sent.push(body);
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Thank you</h1>');
    });
  });
  const url = suite.site.page(
    '/shop',
    `<form action="/pay" method="post"><label>Name <input name="who" value="Ann"></label><button><b>Go</b></button></form>
     <form><input aria-label="Search"><button>Find</button></form><button type="button">Buy now</button>`,
  );
  return { url, sent };
}

describe('an act that needs a person', () => {
  it('[U-06] is done after the approval, which shows what it does', async () => {
    const { url, sent } = openShop();
    const opened = await suite.browser.call('browser.open', { url });
    const act = { ref: refOf(opened, 'button "Go"'), action: 'click' };
    const { page } = await suite.browser.call('browser.act', act);
    expect(suite.browser.asked).toEqual([
      `click button "Go" on "${suite.site.url('/shop')}": sends a form to "${suite.site.url('/pay')}"`,
    ]);
    expect([sent, page]).toEqual([['who=Ann'], expect.stringContaining('Thank you')]);
  });

  it('[U-06] is not done without it, by a click or a key', async () => {
    suite.browser.allows = false;
    const { url, sent } = openShop();
    const opened = await suite.browser.call('browser.open', { url });
    for (const act of [
      { ref: refOf(opened, 'button "Go"'), action: 'click' },
      { ref: refOf(opened, 'textbox "Name"'), action: 'press', value: 'Enter' },
      { ref: refOf(opened, 'button "Buy now"'), action: 'click' },
    ])
      expect(await suite.browser.call('browser.act', act)).toMatchObject({ ok: false });
    expect([suite.browser.asked.length, sent]).toEqual([3, []]);
    const find = { ref: refOf(opened, 'button "Find"'), action: 'click' };
    expect(await suite.browser.call('browser.act', find)).toMatchObject({ ok: true });
    expect(suite.browser.asked).toHaveLength(3);
  });

  it('[U-06] that would do something else by then is refused', async () => {
    const { sent } = openShop();
    const url = suite.site.page(
      '/later',
      `<form method="get"><button>Go</button></form><script>
       fetch('/later/change').then(() => { const form = document.querySelector('form'); form.method = 'post'; form.action = '/pay'; });
       </script>`,
    );
    let change = () => {};
    suite.site.answer('/later/change', (_request, response) => void (change = () => response.end()));
    const opened = await suite.browser.call('browser.open', { url });
    const reviewed = await suite.browser.review('browser.act', { ref: refOf(opened, 'button "Go"'), action: 'click' });
    expect(reviewed).toMatchObject({ needsApproval: false });
    change();
    await suite.browser.call('browser.wait', { for: '1' });
    const outcome = await reviewed.run();
    expect(JSON.stringify(outcome)).toContain('has changed since it was reviewed');
    expect(sent).toEqual([]);
  });

  it('[U-04] [U-06] enters a secret that no result and no approval shows', async () => {
    const html = readFileSync(new URL('../inputs/browser/B29-password.html', import.meta.url), 'utf8');
    const opened = await suite.browser.call('browser.open', { url: suite.site.page('/secrets', html) });
    const fill = { ref: refOf(opened, 'textbox "Password"'), action: 'fill', value: 'new-secret-9f' };
    const filled = await suite.browser.call('browser.act', fill);
    expect(filled).toMatchObject({ ok: true });
    expect(suite.browser.asked).toEqual([expect.stringContaining('enters a secret')]);
    const read = await suite.browser.call('browser.snapshot');
    expect(filled.page + read.page + suite.browser.asked.join()).not.toContain('new-secret-9f');
    expect(read.page).toContain('(secret, 13 characters)');
  });

  it('[U-04] [U-06] shows no value of a field that cannot be looked at, and does nothing there', async () => {
    const fill = { ref: 'e2', action: 'fill', value: 'new-secret-9f' };
    const closed = await suite.browser.review('browser.act', fill);
    expect(closed).toMatchObject({ shownParameters: { ...fill, value: '(secret, 13 characters)' } });
    expect(await closed.run()).toMatchObject({ ok: false });

    const opened = await suite.browser.call('browser.open', {
      url: suite.site.page('/gone', '<input aria-label="Name">'),
    });
    const filled = { ...fill, ref: refOf(opened, 'textbox "Name"') };
    expect((await suite.browser.review('browser.act', filled)).shownParameters).toBeUndefined();
    expect((await suite.browser.review('browser.act', { ...fill, ref: 'e99' })).shownParameters).toMatchObject({
      value: '(secret, 13 characters)',
    });
  });
});
