import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { MediaService } from '../../src/core/media/media.service.js';
import { MediaStore } from '../../src/core/store/index.js';
import { refOf, useBrowser } from '../support/tool-browser.js';

const MAX_BYTES = 200_000;

const suite = useBrowser({
  'media.max_bytes': MAX_BYTES,
  'tools.default_permissions': ['browser', 'browser:evaluate'],
});

const open = (html: string) => suite.browser.call('browser.open', { url: suite.site.page('/page', html) });

async function readMedia(mediaId: unknown): Promise<string> {
  const record = await suite.browser.gateway.app
    .get(MediaStore, { strict: false })
    .findMedia('default', String(mediaId));
  expect(record).toMatchObject({ sessionId: 's_one', principal: 'local' });
  return Buffer.from(
    await suite.browser.gateway.app.get(MediaService, { strict: false }).readBytes(record!),
  ).toString();
}

async function keep(text: string, sessionId: string): Promise<string> {
  const media = suite.browser.gateway.app.get(MediaService, { strict: false });
  const owner = { tenant: 'default', principal: 'local' };
  const { mediaId } = await media.upload(owner, Readable.from([Buffer.from(text)]));
  await media.give(mediaId, sessionId);
  return mediaId;
}

/** Names of the files that the browser has left in its folder of downloads. */
const listDownloads = () =>
  suite.browser.listRuns().flatMap((run) => readdirSync(join(suite.browser.root, run, 'downloads')));

describe('a download', () => {
  it('[U-11] of a link becomes media of the session, after an approval that names the link', async () => {
    suite.site.answer('/report', (_request, response) =>
      response.writeHead(200, { 'content-disposition': 'attachment; filename="<b>report.txt"' }).end('ten of them'),
    );
    const opened = await open('<a href="/report">Report</a>');
    const ref = refOf(opened, 'link "Report"');
    const outcome = await suite.browser.call('browser.download', { ref });
    expect(suite.browser.asked).toEqual([`download the file of link "Report" on "${suite.site.url('/page')}"`]);
    expect(outcome.content).toMatchObject({ mime_type: 'text/plain', size_bytes: 11 });
    expect(outcome.page).toContain('report.txt');
    expect([await readMedia(outcome.content['media_id']), listDownloads()]).toEqual(['ten of them', []]);
  });

  it('[U-11] of an address, such as a PDF, becomes media too', async () => {
    const pdf = '%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n';
    const url = suite.site.answer('/file.pdf', (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/pdf' }).end(pdf),
    );
    const outcome = await suite.browser.call('browser.download', { url });
    expect(suite.browser.asked).toEqual([`download the file at "${url}"`]);
    expect(await readMedia(outcome.content['media_id'])).toBe(pdf);
    const secret = await suite.browser.call('browser.download', { url: `${suite.browser.gateway.url}/health` });
    expect(secret).toMatchObject({ ok: false, page: expect.stringContaining('is the gateway itself') as string });
  });

  it('[U-11] of a long address shows its beginning, so that what was shown stays what is approved', async () => {
    const url = suite.site.url(`/file?${'x'.repeat(4_000)}`);
    const { shown = '' } = await suite.browser.review('browser.download', { url });
    expect(shown).toContain('/file?xxx');
    expect(shown.length).toBeLessThan(2_048);
  });

  it('[U-11] does not begin without an approval, nor because the page wants it', async () => {
    suite.site.answer('/report', (_request, response) =>
      response.writeHead(200, { 'content-disposition': 'attachment; filename="report.txt"' }).end('ten of them'),
    );
    suite.browser.allows = false;
    const opened = await open('<a href="/report">Report</a>');
    const ref = refOf(opened, 'link "Report"');
    expect(await suite.browser.call('browser.download', { ref })).toMatchObject({ ok: false });
    const clicked = await suite.browser.call('browser.act', { ref, action: 'click' });
    expect(clicked.page).toContain('a download was refused: "report.txt"');
    expect(listDownloads()).toEqual([]);
  });

  it('[U-11] that becomes too large, or is of a type that is not allowed, leaves nothing', async () => {
    suite.site.answer('/endless', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x')));
        response.once('drain', write);
      };
      write();
    });
    suite.site.answer('/odd', (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(Buffer.from([0, 1, 2, 3])),
    );
    const large = await suite.browser.call('browser.download', { url: suite.site.url('/endless') });
    expect(large).toMatchObject({ ok: false, page: `the file has more than ${MAX_BYTES} bytes (media.max_bytes)` });
    const odd = await suite.browser.call('browser.download', { url: suite.site.url('/odd') });
    expect(odd).toMatchObject({ ok: false, page: expect.stringContaining('of an unknown type') as string });
    await expect.poll(listDownloads).toEqual([]);
  });
});

describe('an upload', () => {
  const FORM = `<input type="file" aria-label="Photo"><button>Choose</button><p id="out"></p><script>
    const field = document.querySelector('input');
    field.onchange = async () => { out.textContent = field.files[0].name + ': ' + await field.files[0].text(); };
    document.querySelector('button').onclick = () => field.click();
    </script>`;

  it.each(['button "Photo"', 'button "Choose"'])(
    '[U-11] gives a file of the session to %s, after an approval',
    async (part) => {
      const mediaId = await keep('my notes', 's_one');
      const opened = await open(FORM);
      const outcome = await suite.browser.call('browser.act', {
        ref: refOf(opened, part),
        action: 'upload',
        value: mediaId,
      });
      expect(outcome.page).toContain('file.txt: my notes');
      expect(suite.browser.asked).toEqual([
        expect.stringContaining(`gives it the file ${mediaId} (text/plain, 8 bytes)`),
      ]);
    },
  );

  it.each(['/etc/hostname', 'f_00000000-0000-0000-0000-000000000000', undefined])(
    '[U-11] of %s, which is no file of the session, is refused',
    async (value) => {
      const opened = await open(FORM);
      const ref = refOf(opened, 'button "Photo"');
      const act = { ref, action: 'upload', value: value ?? (await keep('not yours', 's_other')) };
      expect(await suite.browser.call('browser.act', act)).toMatchObject({
        ok: false,
        page: expect.stringContaining('in this conversation') as string,
      });
    },
  );
});

describe('a picture', () => {
  const card = (value: string) =>
    `<title>Pay</title><input autocomplete="cc-number" style="font: 16px monospace" value="${value}"><p>Total</p>`;
  const bytesOf = async (parameters: object = {}) => {
    const { content } = await suite.browser.call('browser.screenshot', parameters);
    return readMedia(content['media_id']);
  };

  it('[U-04] [U-11] is media of the session and shows dots in place of secrets', async () => {
    await open(card('4111111111111111'));
    const first = await bytesOf();
    await open(card('5500005555555559'));
    expect(await bytesOf()).toBe(first);
    await open(card('5500005555555559').replace('cc-number', 'off'));
    expect(await bytesOf()).not.toBe(first);
  });

  it('[U-11] is of the view, of the whole page up to its limit, or of one element', async () => {
    const opened = await open(
      '<button style="width: 100px; height: 40px">One</button><div style="height: 20000px">long</div>',
    );
    const sizeOf = ({ content }: { readonly content: Readonly<Record<string, unknown>> }) => [
      content['width'],
      content['height'],
    ];
    expect(sizeOf(await suite.browser.call('browser.screenshot'))).toEqual([1_280, 720]);
    const whole = await suite.browser.call('browser.screenshot', { full_page: true });
    expect([sizeOf(whole)[1], whole.notes]).toEqual([8_000, [expect.stringContaining('the beginning only')]]);
    const one = await suite.browser.call('browser.screenshot', { ref: refOf(opened, 'button "One"') });
    expect(sizeOf(one)).toEqual([100, 40]);
  });
});

describe('a script', () => {
  it('[U-06] runs after an approval, and its result hides secrets', async () => {
    await open('<input type="password" value="hunter2-7f3a"><p>Total 12</p>');
    await suite.browser.call('browser.snapshot');
    const script = `({ total: document.querySelector('p').textContent, all: document.querySelector('input').value })`;
    const { page } = await suite.browser.call('browser.evaluate', { script });
    expect(suite.browser.asked).toEqual([`run a script on "${suite.site.url('/page')}"`]);
    expect(page).toContain('"total":"Total 12"');
    expect(page).not.toContain('hunter2');
    suite.browser.allows = false;
    expect(await suite.browser.call('browser.evaluate', { script })).toMatchObject({ ok: false });
  });
});
