import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../../src/testing/free-port.js';
import { eventually } from '../support/eventually.js';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { GatewayApp } from '../support/gateway-app.js';
import { GatewayProcess } from '../support/gateway-process.js';

const suite = useChat();
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `block ${i + 1}`);
const alertOf = (chat: ChatPage) => chat.page.getByRole('alert').filter({ hasText: /./ });

describe.concurrent('a gateway that is stopped', () => {
  let folder: string;
  const processes: GatewayProcess[] = [];
  const start = async (port: number, env = {}) => {
    const gateway = new GatewayProcess({ folder, env: { OPENCLAW_GATEWAY_PORT: String(port), ...env } });
    processes.push(gateway);
    await gateway.port;
    return gateway;
  };
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'openclaw-chat-'))));
  afterAll(async () => {
    await Promise.all(processes.map((gateway) => gateway.end()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('[W-07] abruptly in the middle of an answer and started again: the answer continues, and messages written meanwhile are answered too', async () => {
    const port = await findFreePort();
    const gateway = await start(port);
    const chat = await suite.open({}, `http://127.0.0.1:${port}`);
    // Long enough to be killed in the middle of, on a slow machine too.
    await chat.say('/blocks 24 150');
    await chat.blocks.getByText('block 2').waitFor();
    gateway.kill();
    await chat.connection.getByText('reconnecting').waitFor();
    const stale = chat.page.getByText(/^As of .+ There is no connection, so there may be more by now/);
    await stale.waitFor();
    await chat.say('/blocks 1');
    await chat.page.getByText('Will be sent once there is a connection').waitFor();
    await start(port);
    await chat.waitForEnds(2);
    expect(await stale.count()).toBe(0);
    expect(await chat.blocks.allInnerTexts()).toEqual([...numbered(24), 'block 1']);
    expect(await chat.said.allInnerTexts()).toEqual(['/blocks 24 150', '/blocks 1']);
    await chat.waitForConnection();
  });

  it('[W-16] gracefully announces its restart, and the page continues when it is back', async () => {
    const inMemory = {
      OPENCLAW_STORE_URL: 'sqlite::memory:',
      NODE_OPTIONS: '--import=data:text/javascript,process.stdout.isTTY=true',
    };
    const port = await findFreePort();
    const gateway = await start(port, inMemory);
    const chat = await suite.open({}, `http://127.0.0.1:${port}`);
    await chat.waitForConnection();
    expect(gateway.output).toContain(`Web chat: http://127.0.0.1:${port}/chat#code=`);
    gateway.kill('SIGTERM');
    await chat.connection.getByText('restarting').waitFor();
    await gateway.exited;
    await start(port, inMemory);
    await chat.ask('/blocks 1');
  });
});

describe.concurrent('a connection', () => {
  it('[W-15] that fails while a message is sent loses no message and duplicates no answer, also after a reload', async () => {
    const context = await suite.browser.newContext();
    let isDeaf = true;
    await context.routeWebSocket(/.*/, (socket) => {
      const gateway = socket.connectToServer();
      // The message reaches the gateway; its acknowledgement does not reach the page.
      gateway.onMessage((message) => {
        if (!isDeaf || /"(connected|webchat\.identity)"/.test(String(message))) socket.send(message);
      });
    });
    const chat = await suite.openIn(context);
    await chat.say('/blocks 2');
    const countUnsent = () =>
      chat.page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.includes('.unsent.')).length);
    await eventually(async () => expect(await countUnsent()).toBe(1));
    isDeaf = false;
    await chat.page.reload();
    await chat.waitForEnds();
    expect(await chat.said.allInnerTexts()).toEqual(['/blocks 2']);
    expect(await chat.blocks.allInnerTexts()).toEqual(numbered(2));
    expect(await countUnsent()).toBe(0);
  });

  it('[W-16] to a gateway with another protocol version says so, and what to do', async () => {
    const context = await suite.browser.newContext();
    await context.routeWebSocket(/.*/, (socket) => {
      const gateway = socket.connectToServer();
      gateway.onMessage((message) => socket.send(String(message).replace('"protocol":1', '"protocol":2')));
    });
    const chat = await suite.openIn(context);
    await alertOf(chat).getByText('version 2').waitFor();
    await chat.page.getByRole('button', { name: 'Reload' }).waitFor();
  });

  it('[W-16] of a machine that is offline says so', async () => {
    const chat = await suite.open();
    await chat.waitForConnection();
    await chat.page.routeWebSocket(/.*/, (socket) => socket.close());
    await chat.page.reload();
    await chat.context.setOffline(true);
    await chat.connection.getByText('You are offline').waitFor();
  });

  it('[W-16] that fails while a part of the page is loaded offers to reload the page', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    let isBroken = true;
    await context.route(/\/later-[^/]*\.js$/, (route) => (isBroken ? route.abort() : route.continue()));
    const chat = await suite.openIn(context);
    const reload = chat.page.getByRole('button', { name: 'Reload' });
    await reload.waitFor();
    isBroken = false;
    await reload.click();
    await chat.page.evaluate("customElements.whenDefined('chat-table').then(() => true)");
    expect(await reload.count()).toBe(0);
  });

  it('[W-09] of a duplicated tab is separate', async () => {
    const first = await suite.open();
    await first.ask('/blocks 1');
    const clientId = await first.page.evaluate(() => sessionStorage.getItem('openclaw.webchat.client_id') ?? '');
    await first.context.addInitScript((id) => {
      if (!sessionStorage.getItem('openclaw.webchat.client_id'))
        sessionStorage.setItem('openclaw.webchat.client_id', id);
    }, clientId);
    const second = await suite.openIn(first.context);
    await second.ask('/blocks 1', 2);
    await first.ask('/blocks 2', 3);
  });

  it('[W-09] that another tab has taken over can be taken back', async () => {
    const chat = await suite.open();
    await chat.ask('/blocks 1');
    const clientId = await chat.page.evaluate(() => sessionStorage.getItem('openclaw.webchat.client_id') ?? '');
    await suite.gateway.connect(clientId);
    await chat.page.getByRole('button', { name: 'Continue here' }).click();
    await chat.ask('/blocks 2', 2);
  });
});

describe.concurrent('a message', () => {
  it('[W-17] of 65,536 characters is sent, one of 65,537 is refused before it leaves, and the text stays', async () => {
    const chat = await suite.open();
    await chat.waitForConnection();
    await chat.input.fill('x'.repeat(65_537));
    await alertOf(chat).getByText('1 character too many').waitFor();
    await chat.page.getByText('65,537 of 65,536').waitFor();
    await chat.input.press('Enter');
    expect(await chat.input.inputValue()).toHaveLength(65_537);
    expect(await chat.said.count()).toBe(0);
    await chat.input.press('Backspace');
    await chat.input.press('Enter');
    await chat.waitForEnds();
    expect(await chat.input.inputValue()).toBe('');
  });

  it('[W-17] that is too big for a frame is refused before it can close the connection', async () => {
    const chat = await suite.open();
    await chat.waitForConnection();
    await chat.input.fill('🙂'.repeat(65_536));
    await alertOf(chat).getByText('bytes too big').waitFor();
    await chat.input.press('Enter');
    expect(await chat.said.count()).toBe(0);
    await chat.waitForConnection();
  });

  it('[W-18] that finds the queue full is shown as waiting and sent automatically', async () => {
    const gateway = await GatewayApp.start({ settings: { 'queue.max_per_session': 1 } });
    const chat = await suite.open({}, gateway.url);
    await chat.say('/wait 60000');
    await chat.page.getByRole('img', { name: 'openclaw is answering' }).waitFor();
    await chat.say('/blocks 1');
    await chat.page.getByText('The queue is full').waitFor();
    await chat.page.getByRole('button', { name: 'Stop the answer' }).click();
    await chat.replies.nth(0).getByText('Stopped').waitFor();
    await chat.blocks.getByText('block 1').waitFor();
    expect(await chat.blocks.allInnerTexts()).toEqual(['block 1']);
    await gateway.close();
  });

  it('[W-14] that waits can be cancelled', async () => {
    const chat = await suite.open();
    await chat.waitForConnection();
    await chat.say('/wait 60000');
    await chat.say('/blocks 1');
    const waiting = chat.page.locator('.said').nth(1);
    await waiting.getByText('next in line').waitFor();
    await waiting.getByRole('button', { name: 'Cancel' }).click();
    await chat.replies.nth(1).getByText('Stopped').waitFor();
    await chat.page.getByRole('img', { name: 'openclaw is answering' }).waitFor();
    await chat.page.getByRole('button', { name: 'Stop the answer' }).click();
    await chat.replies.nth(0).getByText('Stopped').waitFor();
    expect(await chat.blocks.count()).toBe(0);
  });

  it('[W-18] whose answer fails says why, and can be sent again', async () => {
    const chat = await suite.open();
    await chat.say('/fail');
    const failure = chat.page.getByText('The agent could not answer. Your message is kept.');
    await failure.waitFor();
    await chat.page.getByText('Details', { exact: true }).click();
    await chat.page.getByText('(AGENT_FAILED)').waitFor();
    await chat.page.getByRole('button', { name: 'Send again' }).click();
    await eventually(async () => expect(await failure.count()).toBe(2));
  });

  it('[W-18] with a file of a type that is not accepted is refused with a reason, whether dropped or pasted', async () => {
    const chat = await suite.open();
    await chat.waitForWelcome();
    await chat.bring('drop', { name: 'none.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) });
    await alertOf(chat).getByText('“none.txt” is empty').waitFor();
    for (const type of ['drop', 'paste'] as const) {
      await chat.bring(type, { name: 'x.bin', mimeType: '', buffer: Buffer.from([0, 1, 2, 3]) });
      await alertOf(chat).getByText('does not accept files like “x.bin”').waitFor();
      await chat.input.fill('');
      await chat.input.press('x');
      await eventually(async () => expect(await alertOf(chat).count()).toBe(0));
    }
  });
});

describe.concurrent('an older browser', () => {
  it('that lacks newer functions shows answers all the same', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    await context.addInitScript(`
      delete Promise.withResolvers;
      delete AbortSignal.timeout;
      delete String.prototype.toWellFormed;
      delete Array.prototype.toSorted;
      delete Array.prototype.toSpliced;
    `);
    const chat = await suite.openIn(context);
    await chat.ask('/blocks 2');
    expect(await chat.blocks.allInnerTexts()).toEqual(numbered(2));
    expect(await chat.page.getByText('The chat has not started').count()).toBe(0);
  });

  it('that cannot run the script says that the chat has not started', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    await context.route('**/*.js', (route) => route.abort());
    const chat = await suite.openIn(context);
    await chat.page.getByText('The chat has not started').waitFor();
  });
});
