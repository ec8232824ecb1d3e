import { join } from 'node:path';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat-page.js';

const suite = useChat();

/** Each would set `hacked`, or load something, if it were treated as more than text. */
const PAYLOADS = [
  '<script>hacked=1</script><script src="https://evil.example/x.js"></script>',
  '<img src=x onerror="hacked=1"> ![x](https://evil.example/pixel.png)',
  '<svg onload="hacked=1"><animate onbegin="hacked=1" attributeName=x dur=1s></svg>',
  '[click](javascript:hacked=1) <a href="java&#x09;script:hacked=1">click</a>',
  '[click](data:text/html;base64,PHNjcmlwdD5oYWNrZWQ9MTwvc2NyaXB0Pg==)',
  '<iframe src="javascript:hacked=1"></iframe><iframe srcdoc="<script>top.hacked=1</script>"></iframe><object data="https://evil.example/"></object>',
  '<style>@import "https://evil.example/x.css";</style><p style="background:url(https://evil.example/y.png);width:expression(hacked=1)">x</p>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=hacked=1&gt;">',
];

/** Elements and attributes that must not appear in a message, and images from foreign addresses. */
const FOREIGN = `.filter((element) => /^(script|iframe|object|embed|svg|math|style|link|form|base|meta|template)$/i.test(element.localName)
  || [...element.attributes].some(({ name, value }) => /^(on|style$|srcdoc$)/i.test(name) || /^\\s*(javascript|data:text)/i.test(value))
  || (element.localName === 'img' && !/^data:image/.test(element.getAttribute('src') ?? '')))`;

describe('a message with markup', () => {
  it('[W-23] runs nothing and loads nothing, however it is wrapped, also after a reload', async () => {
    const chat = await suite.open();
    const messages = PAYLOADS.map(
      (payload) => `${payload}\n\n- ${payload}\n\n| ${payload.replaceAll('|', '')} |\n|---|\n| x |`,
    );
    for (const [i, message] of messages.entries()) await chat.ask(message, i + 1);
    await chat.page.reload();
    await chat.waitForEnds(messages.length);
    expect(await chat.said.allInnerTexts()).toEqual(messages);
    expect(
      await chat.page.evaluate(
        `[...document.querySelectorAll('.reply chat-markdown *:not(button > .icon)')]${FOREIGN}.map((element) => element.outerHTML)`,
      ),
    ).toEqual([]);
    for (const link of await chat.replies.getByRole('link').all())
      expect(await link.getAttribute('href')).toMatch(/^https:\/\/evil\.example\//);
    expect(await chat.page.evaluate(`'hacked' in globalThis`)).toBe(false);
    expect(chat.complaints.requests.filter((address) => address.includes('evil'))).toEqual([]);
  });

  it('[W-23] is made harmless by the second defence alone, should the first one fail', async () => {
    const result = await build({
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        minify: false,
        lib: { entry: join(import.meta.dirname, '../../src/web/blocks/sanitise.ts'), formats: ['iife'], name: 'wall' },
      },
    });
    const [output] = Array.isArray(result) ? result : [result];
    const [chunk] = output && 'output' in output ? output.output : [];
    const page = await suite.browser.newPage();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.evaluate(chunk && 'code' in chunk ? `${chunk.code}; globalThis.wall = wall` : '');
    for (const payload of PAYLOADS) {
      const left = await page.evaluate(`{
        const box = document.createElement('div');
        box.append(wall.sanitise(${JSON.stringify(payload)}));
        document.body.append(box);
        box.innerHTML = box.innerHTML;
        [...box.querySelectorAll('*')]${FOREIGN.replace("(element.localName === 'img' &&", "(element.hasAttribute('src') &&")}.map((element) => element.outerHTML);
      }`);
      expect(left).toEqual([]);
    }
    expect(await page.evaluate(`'hacked' in globalThis`)).toBe(false);
    expect(requests).toEqual([]);
    await page.context().close();
  });

  it('[W-23] shows its source instead, and keeps harmless formatting', async () => {
    const chat = await suite.open();
    await chat.ask(
      'H<sub>2</sub>O <kbd>Enter</kbd> <b onclick="x">no</b> <marquee>no</marquee> ![a dot](data:image/png;base64,iVBORw0KGgo=)',
    );
    const reply = chat.replies.first();
    expect(await reply.locator('sub').innerText()).toBe('2');
    expect(await reply.locator('kbd').innerText()).toBe('Enter');
    await reply.getByText('<b onclick="x">no').waitFor();
    await reply.getByText('<marquee>no</marquee>').waitFor();
    expect(await reply.locator('img').getAttribute('alt')).toBe('a dot');
  });
});

describe('the page and its files', () => {
  const read = (path: string, headers: Record<string, string> = {}) =>
    fetch(new URL(path, suite.gateway.url), { headers });

  it('[W-24] come with a policy that allows nothing but themselves, and are cached permanently only under names that contain a hash', async () => {
    const page = await read('/chat');
    const policy = page.headers.get('content-security-policy') ?? '';
    const { host } = new URL(suite.gateway.url);
    const directives = new Map(policy.split('; ').map((directive) => [directive.split(' ')[0], directive]));
    expect(directives.get('default-src')).toBe("default-src 'none'");
    expect(directives.get('script-src')).toBe("script-src 'self'");
    expect(directives.get('style-src')).toBe("style-src 'self'");
    expect(directives.get('connect-src')).toBe(`connect-src 'self' ws://${host} wss://${host}`);
    for (const name of ['frame-ancestors', 'base-uri', 'form-action'])
      expect(directives.get(name)).toBe(`${name} 'none'`);
    expect(policy).not.toContain('unsafe');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const html = await page.text();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|style=|https?:\/\//);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect(file).toMatch(/^chat\/assets\/[\w-]+-[\w-]{8}\.(js|css|svg)$/);
      const answer = await read(file);
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([
        200,
        'public, max-age=31536000, immutable',
      ]);
    }
  });

  it('[W-24] are sent compressed to clients that accept it, have at most 80 KB together, and cannot be reached by a made-up path', async () => {
    const html = await (await read('/chat')).text();
    let weight = 0;
    for (const [, file = ''] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const answer = await read(file, { 'accept-encoding': 'gzip' });
      weight += Number(answer.headers.get('content-length'));
      if (file.endsWith('.js')) expect(answer.headers.get('content-encoding')).toBe('gzip');
      expect((await read(file, { 'accept-encoding': 'identity' })).headers.get('content-encoding')).toBeNull();
    }
    expect(weight).toBeLessThan(80 * 1_024);
    expect((await read('/chat', { 'accept-encoding': 'gzip;q=0, br' })).headers.get('content-encoding')).toBe('br');
    for (const path of [
      '/chat/assets/..%2findex.html',
      '/chat/assets/%2e%2e%2f%2e%2e%2fpackage.json',
      '/chat/assets/index.html',
      '/chat/index.html',
      '/chat/licenses.md',
      '/chat/assets/x',
    ]) {
      expect((await read(path)).status).toBe(404);
    }
  });
});
