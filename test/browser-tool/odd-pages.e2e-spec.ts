import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectTime } from '../support/expect-time.js';
import { refOf, useBrowser } from '../support/tool-browser.js';

/** With `LONG` pages are as large as they were seen. */
const isLong = Boolean(process.env['LONG']);
const LINKS = isLong ? 20_000 : 5_000;
const HUGE_MB = isLong ? 50 : 20;

const inputOf = (name: string) => readFileSync(new URL(`../inputs/browser/${name}`, import.meta.url), 'utf8');

const suite = useBrowser({
  // A busy machine takes many seconds for the largest page.
  'tools.browser.call_timeout_ms': 45_000,
});
// A browser without a page ends, and each start takes a second.
beforeAll(async () => {
  const url = suite.site.page('/stays', '<h1>Stays</h1>');
  await suite.browser.call('browser.open', { url }, 's_stays');
});
const open = (url: string) => suite.browser.call('browser.open', { url });
const act = (ref: string, action: string, value?: string) =>
  suite.browser.call('browser.act', { ref, action, ...(value !== undefined && { value }) });

describe('a page', () => {
  it('[U-01] with each kind of field is filled in through refs', async () => {
    const opened = await open(
      suite.site.page(
        '/fields',
        `<form method="get"><label>Name <input name="name"></label><label>Text <textarea name="text"></textarea></label>
         <label>Size <select name="size"><option>S</option><option>M</option></select></label>
         <label><input type="checkbox" name="agree"> I agree</label>
         <label><input type="radio" name="pick" value="a"> First</label><label><input type="radio" name="pick" value="b"> Second</label>
         <div role="textbox" aria-label="Note" contenteditable></div><button>Send</button></form>`,
      ),
    );
    await act(refOf(opened, 'textbox "Name"'), 'fill', 'Ann');
    await act(refOf(opened, 'textbox "Text"'), 'fill', 'two\nlines');
    await act(refOf(opened, 'combobox "Size"'), 'select', 'M');
    await act(refOf(opened, 'checkbox "I agree"'), 'click');
    await act(refOf(opened, 'radio "Second"'), 'click');
    await act(refOf(opened, 'textbox "Note"'), 'fill', 'noted');
    // The library's tree has no text of an editable element that has a name.
    expect((await suite.browser.call('browser.read')).page).toContain('noted');
    expect((await act(refOf(opened, 'textbox "Name"'), 'press', 'End')).ok).toBe(true);
    const sent = await act(refOf(opened, 'button "Send"'), 'click');
    const url = /url: "(\S+)"/.exec(sent.page)?.[1] ?? '';
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
      ...{ name: 'Ann', text: 'two\r\nlines', size: 'M', agree: 'on', pick: 'b' },
    });
    expect(suite.browser.asked).toEqual([]);
  });

  it('[U-01] is seen and used within frames and shadow trees', async () => {
    suite.site.page('/inner', `<button onclick="this.textContent = 'pressed inside'">Inside</button>`);
    const opened = await open(
      suite.site.page(
        '/nested',
        `<h1>Outside</h1><iframe src="/inner"></iframe><my-box></my-box><script>
         customElements.define('my-box', class extends HTMLElement { constructor() { super();
           this.attachShadow({ mode: 'open' }).innerHTML = '<button>Shadow</button>';
           this.shadowRoot.querySelector('button').onclick = (e) => { e.target.textContent = 'pressed in the shadow'; }; } });
         </script>`,
      ),
    );
    expect((await act(refOf(opened, 'button "Inside"'), 'click')).page).toContain('pressed inside');
    const again = await suite.browser.call('browser.snapshot');
    expect((await act(refOf(again, 'button "Shadow"'), 'click')).page).toContain('pressed in the shadow');
  });

  it('[U-07] that never stops loading is shown without its silent frame, which is named, in every call', async () => {
    const silent: Socket[] = [];
    const hang = (_request: unknown, response: ServerResponse) =>
      void (response.socket && silent.push(response.socket));
    suite.site.answer('/hang', hang);
    suite.site.answer('/hang.woff2', hang);
    const began = performance.now();
    const opened = await open(suite.site.page('/slow', inputOf('B34-slow-frame.html')));
    expect(opened.page).toContain('heading "Article"');
    const read = await suite.browser.call('browser.snapshot');
    expect(read.page).toContain('button "Read on"');
    const picture = await suite.browser.call('browser.screenshot');
    expect(picture.ok).toBe(true);
    expectTime(performance.now() - began, 20_000);
    for (const socket of silent) socket.destroy();
  });

  it('[U-07] that opens dialogs gets answers at once, and the agent hears of each', async () => {
    const opened = await open(suite.site.page('/dialogs', inputOf('B36-dialogs.html')));
    expect(opened.page).toContain('dialog alert "hello": dismissed');
    expect(opened.page).toContain('dialog confirm "Pay 500 EUR?": dismissed');
    expect(opened.page).toContain('dialog prompt "Name?": dismissed');
    const left = await open(`${suite.site.url('/dialogs')}?leave`);
    expect(left.ok).toBe(true);
    expect(await suite.browser.call('browser.close')).toMatchObject({ content: { open_tabs: 0 } });
  });

  it('[U-07] that opens dialogs without end is closed, and others go on', async () => {
    suite.site.page('/dialogs', inputOf('B36-dialogs.html'));
    const plain = await open(suite.site.page('/plain', '<h1>Plain</h1>'));
    const looped = await open(`${suite.site.url('/dialogs')}?loop`);
    const after = await suite.browser.call('browser.tabs');
    expect(JSON.stringify([looped.page, after.page])).toContain('closed after 20 dialogs');
    expect(after.page).toContain(`tab ${plain.tab}`);
  });

  it('[U-07] asks a question that the next act says yes to, after an approval', async () => {
    const opened = await open(
      suite.site.page('/ask', `<button onclick="document.title = confirm('Really?') ? 'yes' : 'no'">Go</button>`),
    );
    const ref = refOf(opened, 'button "Go"');
    const no = await act(ref, 'click');
    expect(no.page).toContain('dialog confirm "Really?": dismissed');
    expect(no.page).toContain('title: "no"');
    const yes = await suite.browser.call('browser.act', { ref, action: 'click', dialogs: 'accept' });
    expect(yes.page).toContain('title: "yes"');
    expect(suite.browser.asked).toEqual([expect.stringContaining('accepts dialogs')]);
  });

  it('[U-08] that opens many windows gets at most eight tabs, and the newest is the current one', async () => {
    suite.site.page('/child', '<h1>Child</h1>');
    const opened = await open(
      suite.site.page('/windows', `<button onclick="for (let i = 0; i < 30; i++) window.open('/child')">Many</button>`),
    );
    const notes = [...(await act(refOf(opened, 'button "Many"'), 'click')).notes];
    const countTabs = async () => {
      const tabs = await suite.browser.call('browser.tabs');
      notes.push(...tabs.notes);
      return tabs.page.split('\n').filter((line) => line.startsWith('| tab ')).length;
    };
    await expect.poll(countTabs).toBe(8);
    await expect.poll(async () => (await countTabs()) === 8 && notes.join()).toContain('opened more than 8 tabs');
    expect(notes.join()).toMatch(/opened tab \d+, which is the current one now/);
    // Eight pages that load at once may be late for the first look.
    await expect.poll(async () => (await suite.browser.call('browser.snapshot')).page).toContain('heading "Child"');
  });

  it('[U-08] that opens one window is left for it', async () => {
    suite.site.page('/child', '<h1>Child</h1>');
    const opened = await open(suite.site.page('/link', `<a href="/child" target="_blank">There</a>`));
    const acted = await act(refOf(opened, 'link "There"'), 'click');
    expect(acted.page).toContain('heading "Child"');
    expect(acted.notes.join()).toContain('which is the current one now');
  });

  it('[U-07] that kills its renderer is replaced, and the result says so', async () => {
    await open(suite.site.page('/plain', '<h1>Plain</h1>'));
    await suite.browser.crashPage();
    const next = await suite.browser.call('browser.snapshot');
    const then = next.ok ? next : await suite.browser.call('browser.snapshot');
    expect(then.page).toContain('heading "Plain"');
    expect(JSON.stringify([next.notes, next.page, then.notes])).toContain('was replaced by tab');
  });

  it('[U-07] whose script never ends gets a reason and a new tab, and is not visited a third time', async () => {
    let opened = await open(suite.site.page('/busy', `<button onclick="for (;;) {}">Loop</button>`));
    const looped = await act(refOf(opened, 'button "Loop"'), 'click');
    expect(looped).toMatchObject({ ok: false });
    expect(looped.page).toContain("timed_out: the page's own script is busy");
    // On a slow machine the new tab loads after the result.
    await expect
      .poll(async () => (opened = await suite.browser.call('browser.snapshot')).page)
      .toContain('button "Loop"');
    const startedAt = performance.now();
    const again = await act(refOf(opened, 'button "Loop"'), 'click');
    expectTime(performance.now() - startedAt, 22_500);
    expect(again.page).toContain('its tab was replaced by a new one, which is empty');
    expect((await suite.browser.call('browser.snapshot')).page).not.toContain('button "Loop"');
    expect(suite.site.requests.filter((path) => path === '/busy')).toHaveLength(2);
  });

  it(`[U-07] of ${HUGE_MB} MB is left with the reason, and visited once`, async () => {
    const part = `<p>${'word '.repeat(200_000)}</p>`;
    suite.site.answer('/huge', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      for (let i = 0; i < HUGE_MB; i++) response.write(part);
      response.end();
    });
    const answers = [(await open(suite.site.url('/huge'))).page];
    // A slow machine shows what has arrived when the time to load is over.
    while (!answers.at(-1)?.includes('too large to be read')) {
      answers.push((await suite.browser.call('browser.snapshot')).page);
    }
    expect(suite.site.requests.filter((path) => path === '/huge')).toHaveLength(1);
  });

  it('[U-07] that never stops its alerts is closed, and that is the reason', async () => {
    const looped = await open(suite.site.page('/alerts', '<script>for (;;) alert("again")</script>'));
    expect(looped).toMatchObject({ ok: false });
    expect(looped.page).toContain('the tab was closed: it opened 20 dialogs in a row');
  });

  it('[U-07] that is a file is said to be one, and one that needs a password too', async () => {
    suite.site.answer('/file.pdf', (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/pdf' }).end('%PDF-1.4\n%%EOF\n'),
    );
    suite.site.answer('/locked', (_request, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="Staff only"' }).end('no'),
    );
    expect(JSON.stringify(await open(suite.site.url('/file.pdf')))).toContain('browser.download');
    expect(JSON.stringify(await open(suite.site.url('/locked')))).toContain('Staff only');
  });

  it(`[U-09] with ${LINKS} links is cut subtree by subtree, and refs of what was cut work`, async () => {
    const links = Array.from({ length: LINKS }, (_, i) => `<li><a href="#${i}">Link ${i}</a></li>`).join('');
    const opened = await open(
      suite.site.page('/links', `<h1>All</h1><ul>${links}</ul><p>${'x'.repeat(2_000_000)}</p>`),
    );
    expect(opened.page.length).toBeLessThan(40_000);
    const ref = /(\d+) more items are left out; browser\.snapshot \{"ref":"(\w+)"\}/.exec(opened.page)?.[2];
    expect(ref).toBeDefined();
    const part = await suite.browser.call('browser.snapshot', { ref, full: true });
    expect(part.page.length).toBeGreaterThan(opened.page.length);
    expect(Math.max(...opened.page.split('\n').map((line) => line.length))).toBeLessThan(800);
  });

  it(`[U-09] of ${HUGE_MB} MB ends the call and not the process`, async () => {
    const url = suite.site.answer('/huge', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(`<p>${'<b>bold</b> words '.repeat(50)}</p>`.repeat(HUGE_MB * 1_100));
    });
    const outcome = await open(url);
    expect(outcome.ok ? outcome.page : outcome.page).toMatch(/too large|timed_out/);
    await suite.browser.call('browser.close');
    expect((await open(suite.site.page('/plain', '<h1>Plain</h1>'))).page).toContain('heading "Plain"');
  });
});

describe('a browser', () => {
  it('[U-05] that stands still is killed and started again', async () => {
    await open(suite.site.page('/plain', '<h1>Plain</h1>'));
    for (const pid of suite.browser.listProcesses()) process.kill(pid, 'SIGSTOP');
    const late = await suite.browser.call('browser.snapshot');
    expect(late).toMatchObject({ ok: false });
    expect(late.page).toContain('the browser did not respond and was ended');
    expect((await open(suite.site.url('/plain'))).page).toContain('heading "Plain"');
  });
});
