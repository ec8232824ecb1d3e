import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useChat, type ChatPage } from '../support/chat-page.js';

const suite = useChat({ settings: { 'tools.approvals': ['time.now'] } });
const WORD = 'x'.repeat(10_000);
const BIDI = '\u202Egnp.exe\u202C \u2066abc\u2069';

const fitsTheWindow = (chat: ChatPage) => chat.page.evaluate('document.documentElement.scrollWidth <= innerWidth');

/** A PNG of one colour. */
function png(width: number, height: number): Buffer {
  const table = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const crc = (bytes: Buffer) => {
    let c = 0xffffffff;
    for (const byte of bytes) c = (table[(c ^ byte) & 255] ?? 0) ^ (c >>> 8);
    return (c ^ 0xffffffff) >>> 0;
  };
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc((width + 1) * height));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

describe.concurrent('odd content', () => {
  it('[W-21] [W-23] of 10,000 letters, of both directions and of HTML fits a phone and stays text in every place', async () => {
    const chat = await suite.open({ viewport: { width: 390, height: 844 } });
    const odd = [WORD, BIDI, '<img src=x onerror=alert(1)>'];
    const texts = odd.flatMap((text) => [`# ${text}`, `- ${text}`, `| ${text} |\n|---|\n| x |`, text]);
    await chat.ask(texts.join('\n\n'));
    expect(await fitsTheWindow(chat)).toBe(true);
    await chat.say(`/tool time.now ${JSON.stringify({ [WORD.slice(0, 200)]: odd.join(' '), time_zone: 'UTC' })}`);
    await chat.waitForEnds(2);
    expect(await fitsTheWindow(chat)).toBe(true);
    await chat.bring('drop', {
      name: `${WORD.slice(0, 240)}${BIDI}<b>.txt`,
      mimeType: 'text/plain',
      buffer: Buffer.from('hello'),
    });
    await chat.page.getByRole('list', { name: 'Files to be sent' }).locator('[aria-busy=false]').waitFor();
    expect(await fitsTheWindow(chat)).toBe(true);
    await chat.ask('with a file', 3);
    expect(await fitsTheWindow(chat)).toBe(true);
    expect(await chat.page.locator('.reply img').count()).toBe(0);
  });

  it('[X-14] that turns text around is written out in a call that waits for a decision', async () => {
    const chat = await suite.open();
    await chat.say(`/tool time.now ${JSON.stringify({ time_zone: `${BIDI} שלום` })}`);
    const card = chat.page.locator('.block.approval');
    const shown = '⟨U+202E⟩gnp.exe⟨U+202C⟩ ⟨U+2066⟩abc⟨U+2069⟩ שלום';
    await card.locator('.arguments dd').getByText(shown, { exact: true }).waitFor();
    await card.locator('summary').click();
    await card.locator('pre').getByText(shown).waitFor();
  });

  it('[W-21] [W-23] fits and stays text in a title, in the name of another person and in an error', async () => {
    const chat = await suite.open({ viewport: { width: 390, height: 844 } });
    await chat.ask('/blocks 1');
    const list = await chat.page.evaluate("localStorage.getItem('openclaw.webchat.default/local.conversations')");
    const [{ sessionId } = { sessionId: '' }] = JSON.parse(String(list)) as { sessionId: string }[];
    const name = `<img src=x onerror=alert(1)>${BIDI}${'x'.repeat(200)}`;
    const client = await suite.gateway.connect('bob');
    const payload = { channel: 'webchat', sender: 'bob', sender_name: name, content: '/blocks 1' };
    client.send('message_in', payload, { session_id: sessionId });
    await client.next('stream_end');
    await chat.page.locator('.who').getByText('onerror').waitFor();
    expect(await fitsTheWindow(chat)).toBe(true);
    await chat.page.getByRole('button', { name: 'Show conversations' }).click();
    await chat.page.getByRole('button', { name: /^More for/ }).click();
    await chat.page.getByRole('menuitem', { name: 'Rename' }).click();
    await chat.page.getByRole('textbox', { name: 'Title of the conversation' }).fill(name);
    await chat.page.keyboard.press('Enter');
    await chat.page.locator('.entry .title').getByText('onerror').waitFor();
    expect(await fitsTheWindow(chat)).toBe(true);
    expect(await chat.page.title()).toContain('<img src=x onerror=alert(1)>');
    await chat.page.reload();
    await chat.page.locator('.bar h1').getByText('onerror').waitFor();
    await chat.page.locator('.who').getByText('onerror').waitFor();
    // The list is open again, because the address says so.
    await chat.page.keyboard.press('Escape');
    await chat.say(`/fail ${name} ${WORD.slice(0, 4_000)}`);
    await chat.page.getByText('Details', { exact: true }).click();
    expect(await fitsTheWindow(chat)).toBe(true);
    expect(await chat.page.locator('chat-app img').count()).toBe(0);
  });

  it('[W-26] of a picture of 9,000 pixels is made small before it is sent; of 20 MB that is none is refused', async () => {
    const chat = await suite.open();
    await chat.waitForWelcome();
    await chat.bring('drop', { name: 'large.png', mimeType: 'image/png', buffer: png(9_000, 300) });
    const tray = chat.page.getByRole('list', { name: 'Files to be sent' });
    await tray.locator('[aria-busy=false]').waitFor();
    await chat.ask('look');
    const shown = chat.said.first().getByRole('img');
    await shown.waitFor();
    await eventually(async () =>
      expect(await shown.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth)).toBe(2_048),
    );
    await chat.page.evaluate(`{
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(20_000_000)], 'none.png', { type: 'image/png' }));
      document.querySelector('textarea').dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer }));
    }`);
    await chat.page.getByText('does not accept files like “none.png”').waitFor();
  });

  it('[W-16] of a paste of 100,000 characters is counted and not sent, and stays in the composer', async () => {
    const chat = await suite.open();
    await chat.waitForWelcome();
    await chat.input.fill('word '.repeat(20_000));
    await chat.input.press('Enter');
    await chat.page.getByText('characters too many').waitFor();
    expect((await chat.input.inputValue()).length).toBe(100_000);
    expect(await chat.said.count()).toBe(0);
    // A direction for each paragraph would cost seconds per key.
    const direction = () =>
      chat.page.evaluate(`getComputedStyle(document.querySelector('.writing textarea')).unicodeBidi`);
    expect(await direction()).toBe('normal');
    await chat.input.fill('short');
    await eventually(async () => expect(await direction()).toBe('plaintext'));
  });

  it('in a browser whose storage is full or refused is shown all the same', async () => {
    const context = await suite.browser.newContext();
    await context.addInitScript(
      `Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };`,
    );
    const chat = await suite.openIn(context);
    await chat.ask('/blocks 2');
    await chat.page.getByRole('button', { name: 'Edit', exact: true }).click();
    await chat.say('/blocks 1');
    await chat.page.getByText('Earlier version · show').waitFor();
    await chat.command('Pin');
    await chat.page.getByText('This browser stores nothing more').waitFor();
    await context.setOffline(true);
    await chat.page.getByText('this browser lets it store nothing').waitFor();
  });

  it('[W-68] on a device whose clock is off by a day has the day and the countdown of the gateway', async () => {
    const context = await suite.browser.newContext();
    await context.addInitScript(`{
      const { now } = Date;
      const DeviceDate = Date;
      globalThis.Date = class extends DeviceDate {
        constructor(...all) { if (all.length === 0) super(now() + 86_400_000); else super(...all); }
        static now() { return now() + 86_400_000; }
      };
    }`);
    const chat = await suite.openIn(context, await suite.gateway.makeLink());
    await chat.ask('/blocks 1');
    for (const place of [chat.page.getByRole('log'), chat.page.getByRole('navigation', { name: 'Conversations' })])
      await place.getByRole('heading', { name: 'Today' }).waitFor();
    await chat.say('/tool time.now {}');
    await chat.page.getByText(/ends in \d+ (min|s)/).waitFor();
    await chat.page.getByRole('button', { name: 'Deny' }).click();
    await chat.page.getByText('denied by you').waitFor();
    await chat.page.reload();
    await chat.page.getByText('denied by you').waitFor();
  });
});
