import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useChat } from '../support/chat-page.js';

const suite = useChat();

/** Lists the texts of an SVG document whose contrast to the shape behind them is below 4.5. `ground` is behind all. */
const LIST_FAINT = `(ground) => {
  const read = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([red, green, blue]) => [red, green, blue]
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const fillOf = (element) => {
    const { fill, fillOpacity, opacity } = getComputedStyle(element);
    const [red, green, blue, alpha = 1] = read(fill);
    return red === undefined || alpha * fillOpacity * opacity < 0.5 ? undefined : [red, green, blue];
  };
  return [...document.querySelectorAll('text')].filter(({ textContent }) => textContent.trim() !== '').flatMap((text) => {
    const leaf = text.querySelector('tspan:not(:has(tspan))') ?? text;
    const { left, top, width, height } = text.getBoundingClientRect();
    const shape = document.elementsFromPoint(left + width / 2, top + height / 2)
      .filter((element) => element.matches('rect, path, circle, polygon, ellipse'))
      .map(fillOf).find(Boolean) ?? read(ground);
    const ratio = contrast(luminance(fillOf(leaf) ?? [0, 0, 0]), luminance(shape));
    return ratio < 4.5 ? [[text.textContent, getComputedStyle(leaf).fill, String(shape), ratio.toFixed(2)].join(' ')] : [];
  });
}`;

const fence = (source: string) => `\`\`\`mermaid\n${source}\n\`\`\``;

describe('a formula', () => {
  it('[W-64] is drawn, also after a reload, while an amount of money stays as it is and a wrong one its source', async () => {
    const chat = await suite.open();
    await chat.ask(
      'Costs $5 and $10. A $\\frac{a}{b}$ and $\\overline{AB}$ and\n\n$$\n\\left( \\sqrt{x} \\right)\n$$\n\nwrong: $\\frac{a$ bomb: $\\def\\x{\\x\\x}\\x$ and $\\href{javascript:alert(1)}{x}$ end',
    );
    const look = async () => ({
      drawn: await chat.page.locator('math').count(),
      display: await chat.page.locator('.math.display math').count(),
      wrong: await chat.page.locator('.math.wrong').allInnerTexts(),
      text: (await chat.replies.first().innerText()).includes('Costs $5 and $10.'),
      links: await chat.replies.first().locator('a, [href]').count(),
    });
    const expected = {
      drawn: 3,
      display: 1,
      wrong: ['$\\frac{a$', '$\\def\\x{\\x\\x}\\x$', '$\\href{javascript:alert(1)}{x}$'],
      text: true,
      links: 0,
    };
    await eventually(async () => expect(await look()).toEqual(expected));
    await chat.page.reload();
    await eventually(async () => expect(await look()).toEqual(expected));
    const height = await chat.page
      .locator('.math.display math mo')
      .first()
      .evaluate((element) => element.getBoundingClientRect().height);
    expect(height).toBeGreaterThan(20);
    await chat.page.locator('menclose').waitFor();
    expect(await chat.page.evaluate("getComputedStyle(document.querySelector('menclose')).borderTopStyle")).toBe(
      'solid',
    );
  });

  it('[W-64] is copied as its source, from the button and from a selection', async () => {
    const chat = await suite.open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await chat.ask('Before $x^2$ after');
    await chat.page.locator('math').waitFor();
    await chat.page.evaluate(`{
      getSelection().selectAllChildren(document.querySelector('.reply .prose'));
      document.execCommand('copy');
    }`);
    expect(await chat.page.evaluate('navigator.clipboard.readText()')).toContain('Before $x^2$ after');
  });
});

describe('a diagram', () => {
  it('[W-65] is drawn in a sandbox, with its source, a zoom and the theme, also after a reload', async () => {
    const chat = await suite.open();
    await chat.ask(fence('graph TD\n  A[Start] --> B{Is it <b>bold</b>?}\n  B -->|Yes| C[OK]'));
    const picture = chat.page.getByRole('img', { name: 'Diagram' });
    await picture.waitFor();
    const size = `(image => image.complete ? image.naturalWidth : 0)(document.querySelector('.diagram img'))`;
    await eventually(async () => expect(await chat.page.evaluate(size)).toBeGreaterThan(50));
    const frame = chat.page.locator('iframe');
    expect(await frame.getAttribute('sandbox')).toBe('allow-scripts');
    const light = await picture.getAttribute('src');
    await chat.page.emulateMedia({ colorScheme: 'dark' });
    await eventually(async () => expect(await picture.getAttribute('src')).not.toBe(light));
    const width = Number(await picture.getAttribute('width'));
    await chat.page.getByRole('button', { name: 'Larger' }).click();
    expect(Number(await picture.getAttribute('width'))).toBeGreaterThan(width);
    await chat.page.getByRole('button', { name: 'Source' }).click();
    await chat.page.locator('chat-diagram').getByText('A[Start]').waitFor();
    await chat.page.reload();
    await picture.waitFor();
    for (const kind of [
      'pie\n "a" : 3\n "b" : 4',
      'sequenceDiagram\n A->>B: Hi',
      'gantt\n title T\n section S\n t: 2026-01-01, 3d',
    ]) {
      const before = await picture.count();
      await chat.say(fence(kind));
      await picture.nth(before).waitFor();
    }
    await chat.page.emulateMedia({ forcedColors: 'active', colorScheme: 'light' });
    await chat.page.reload();
    await picture.nth(3).waitFor();
    expect(decodeURIComponent((await picture.first().getAttribute('src'))!)).toContain('rgb(220, 235, 231)');
    await chat.page.emulateMedia({ forcedColors: 'none', colorScheme: 'light' });
    const bench = await chat.context.newPage();
    await bench.setViewportSize({ width: 2_000, height: 2_000 });
    for (const [colorScheme, ground, wash] of [
      ['dark', 'rgb(34, 38, 39)', 'rgb(27, 56, 51)'],
      ['light', 'rgb(255, 255, 255)', 'rgb(220, 235, 231)'],
    ] as const) {
      await chat.page.emulateMedia({ colorScheme });
      const svgs = async () => {
        const sources = await Promise.all((await picture.all()).map((image) => image.getAttribute('src')));
        return sources.map((source) => decodeURIComponent((source ?? '').split(',').slice(1).join(',')));
      };
      // Each is drawn again.
      await eventually(async () =>
        expect((await svgs()).map((svg) => svg.includes(wash))).toEqual(Array(4).fill(true)),
      );
      for (const svg of await svgs()) {
        await bench.setContent(svg);
        expect([colorScheme, await bench.evaluate(`(${LIST_FAINT})('${ground}')`)]).toEqual([colorScheme, []]);
      }
    }
  });

  it('[W-65] that is wrong, hostile or huge shows its source and the reason', async () => {
    const chat = await suite.open();
    await chat.ask(fence('graph TD\n  A --> '));
    await chat.page.getByText('its source has an error').waitFor();
    await chat.page.evaluate(`{
      const diagram = Object.assign(document.createElement('chat-diagram'), { code: 'graph TD\\n' + '  A --> B\\n'.repeat(2500) });
      document.querySelector('.thread > .column').append(diagram);
    }`);
    await chat.page.getByText('more than 20,000 characters').waitFor();
    await chat.page.evaluate(`{
      const code = 'graph TD\\n' + Array.from({ length: 900 }, (_, i) => 'n' + i + ' --> n' + (i + 1)).join('\\n');
      document.querySelector('.thread > .column').append(Object.assign(document.createElement('chat-diagram'), { code }));
    }`);
    await chat.page.getByText('more than 500 connections').waitFor();
    await chat.ask(
      fence(
        'graph TD\n  A["<img src=x onerror=alert(1)><script>alert(1)</script>"] --> B\n  click A "javascript:alert(1)"',
      ),
      2,
    );
    await eventually(async () =>
      expect(await chat.page.locator('chat-diagram img, chat-diagram .state').count()).toBe(4),
    );
    expect(
      chat.complaints.requests.filter((address) => !address.includes('127.0.0.1') && !/^(?:data|blob):/.test(address)),
    ).toEqual([]);
  });

  it('[W-65] that takes too long is given up after 3 seconds, and the next one is drawn', async () => {
    const chat = await suite.open();
    const edges = Array.from({ length: 480 }, (_, i) => `  n${i % 60} --> n${(i * 7 + 3) % 60}`).join('\n');
    await chat.say(fence(`graph TD\n${edges}`));
    await chat.page.locator('chat-diagram img, chat-diagram .state').waitFor();
    await chat.say(fence('graph TD\n  A --> B'));
    await chat.page.locator('chat-diagram').nth(1).locator('img').waitFor();
  });

  it('[W-65] comes from a page of its own, which only the chat may frame', async () => {
    const answer = await fetch(`${suite.gateway.url}/chat/diagram`);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'self'");
    expect(policy).toContain('sandbox allow-scripts');
    expect(answer.headers.get('x-frame-options')).toBeNull();
    const page = (await fetch(`${suite.gateway.url}/chat`)).headers.get('content-security-policy');
    expect(page).toContain("frame-src 'self'");
    const chat = await suite.open();
    await chat.page.evaluate("document.body.append(Object.assign(document.createElement('iframe'), { src: 'docs' }))");
    const { violations } = chat.complaints;
    await eventually(() => expect(violations.splice(0)).toEqual([`frame-src ${suite.gateway.url}/docs `]));
  });
});
