import { afterEach, beforeEach, expect, it } from 'vitest';
import { ApprovalsService } from '../../src/core/approvals/approvals.service.js';
import { LOCAL_OPERATOR } from '../../src/core/identity/principal.js';
import { ModelServer, textOf, type Asked } from '../support/model-server.js';
import { BrowserGateway, TestSite } from '../support/tool-browser.js';

let site: TestSite;
let model: ModelServer;
let browser: BrowserGateway;
beforeEach(async () => {
  site = await TestSite.start();
  model = await ModelServer.start();
  browser = await BrowserGateway.start({
    'tools.browser.allow_hosts': [site.host],
    'agent.model': 'local/test-model',
    providers: { local: model.provider('openai-completions', { images: true }) },
  });
});
afterEach(async () => {
  await browser.close();
  await model.stop();
  await site.close();
});

/** An answer of the model that calls a tool with a ref that it has read in the newest result. */
const callOn = (name: string, part: string, parameters: object) => ({
  response: ({ messages }: Pick<Asked, 'messages'>) => {
    const result = textOf(messages.findLast(({ role }) => role === 'tool')?.content ?? '');
    const { page = '' } = JSON.parse(result) as { readonly page?: string };
    const line = page.split('\n').find((one) => one.includes(part)) ?? '';
    const ref = /\[ref=(\w+)\]/.exec(line)?.[1] ?? 'e999';
    return { toolCalls: [{ name, arguments: JSON.stringify({ ref, ...parameters }), id: `call_${name}_${ref}` }] };
  },
});

it('[U-01] [U-06] a model fills in a form through snapshot and refs, asks a person before it sends it, and sees a picture', async () => {
  const sent: string[] = [];
  site.answer('/send', (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      sent.push(body);
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Thank you, Ann</h1>');
    });
  });
  const url = site.page(
    '/form',
    `<form action="/send" method="post"><label>Name <input name="who"></label><button>Send</button></form>`,
  );
  model.answer(
    { toolCalls: [{ name: 'browser_open', arguments: JSON.stringify({ url }), id: 'call_1' }] },
    callOn('browser_act', 'textbox "Name"', { action: 'fill', value: 'Ann' }),
    { toolCalls: [{ name: 'browser_snapshot', arguments: '{}', id: 'call_3' }] },
    callOn('browser_act', 'button "Send"', { action: 'click' }),
    { toolCalls: [{ name: 'browser_screenshot', arguments: '{}', id: 'call_5' }] },
    { content: 'It is sent.' },
  );
  const client = await browser.gateway.connect('ann', browser.gateway.localToken);
  client.send('message_in', { channel: 'test', sender: 'ann', content: 'Send the form' }, { id: 'a' });
  const asked = await client.next((frame) => frame.payload['status'] === 'awaiting_approval');
  expect([asked.payload['detail'], sent]).toEqual([
    `click button "Send" on "${url}": sends a form to "${site.url('/send')}"`,
    [],
  ]);
  const approvals = browser.gateway.app.get(ApprovalsService, { strict: false });
  const { approval_id: id, arguments_sha256: hash } = asked.payload['approval'] as Record<string, string>;
  await approvals.decide(LOCAL_OPERATOR, id ?? '', 'allow', hash ?? '');
  const picture = await client.next((frame) => frame.payload['block_type'] === 'image');
  const end = await client.next('stream_end');
  expect([end.payload['reason'], sent]).toEqual(['stop', ['who=Ann']]);
  expect(picture.payload).toMatchObject({
    content: expect.stringMatching(/^\/media\/f_/) as string,
    metadata: { mime_type: 'image/png', alt: expect.stringContaining('/send') as string },
  });
  const response = await fetch(`${browser.gateway.url}${String(picture.payload['content'])}`, {
    headers: { authorization: `Bearer ${browser.gateway.localToken}` },
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/png']);
  expect(model.bodies.at(-1)).toContain('data:image/png;base64,');
});
