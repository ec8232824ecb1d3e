import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentRuntime, type AgentEvent, type AgentTurn } from '../../src/core/turns/agent-runtime.js';
import { eventually } from '../support/eventually.js';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { GatewayApp } from '../support/gateway-app.js';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const TOKEN = 'operator-token-0123456789';

const folder = mkdtempSync(join(tmpdir(), 'openclaw-pictures-'));
const suite = useChat({ settings: { 'media.folder': folder, 'media.max_bytes': 1_000 } });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const picture = (name: string, buffer = PIXEL) => ({ name, mimeType: 'image/png', buffer });
const trayOf = (chat: ChatPage) => chat.page.getByRole('list', { name: 'Files to be sent' });
const alertOf = (chat: ChatPage) => chat.page.getByRole('alert').filter({ hasText: /./ });

async function choose(chat: ChatPage, ...files: ReturnType<typeof picture>[]): Promise<void> {
  const [chooser] = await Promise.all([
    chat.page.waitForEvent('filechooser'),
    chat.page.getByRole('button', { name: 'Attach files' }).press('Enter'),
  ]);
  await chooser.setFiles(files);
}

/** Asserts that the picture of this name is loaded, from an address that only this page can use. */
async function expectShown(chat: ChatPage, name: string): Promise<void> {
  const shown = chat.said.getByRole('img', { name });
  await shown.waitFor();
  expect(await shown.getAttribute('src')).toMatch(/^blob:/);
  await eventually(async () =>
    expect(await shown.evaluate((image) => (image as unknown as { readonly naturalWidth: number }).naturalWidth)).toBe(
      1,
    ),
  );
}

/** An agent whose answer shows the picture that it received, and one that never existed. */
class PictureRuntime extends AgentRuntime {
  override readonly name = 'pictures';

  override async *run({ message }: AgentTurn): AsyncGenerator<AgentEvent> {
    const names = { [message.payload.attachments?.[0]?.media_id ?? '']: 'yours', f_none: 'nobody’s' };
    for (const [id, alt] of Object.entries(names)) {
      yield { type: 'piece', piece: { blockType: 'image', text: `/media/${id}`, ends: true, metadata: { alt } } };
    }
    yield { type: 'answer', answer: { toolCalls: [] } };
  }
}

@Global()
@Module({ providers: [{ provide: AgentRuntime, useClass: PictureRuntime }], exports: [AgentRuntime] })
class PictureAgentModule {}

describe('a picture', () => {
  it('[W-26] [W-20] that is chosen by keyboard, dropped or pasted goes with a message, even one without text, and is shown again after a reload', async () => {
    const chat = await suite.open();
    await chat.waitForWelcome();
    await choose(chat, picture('chosen.png'), picture('removed.png'));
    await chat.bring('paste', picture('pasted.png'));
    await chat.bring('drop', picture('dropped.png'));
    await trayOf(chat).getByRole('button', { name: 'Remove removed.png' }).click();
    await eventually(async () => expect(await trayOf(chat).locator('[aria-busy=false]').count()).toBe(3));
    await chat.input.press('Enter');
    await chat.waitForEnds();
    expect(await trayOf(chat).count()).toBe(0);
    for (const name of ['chosen.png', 'pasted.png', 'dropped.png']) await expectShown(chat, name);
    await chat.page.reload();
    for (const name of ['chosen.png', 'pasted.png', 'dropped.png']) await expectShown(chat, name);
    expect(await chat.said.getByRole('img').count()).toBe(3);
  });

  it('[W-26] that is too big, has another type than its name says, or exceeds the number is refused with a reason', async () => {
    const chat = await suite.open();
    await chat.waitForWelcome();
    await choose(chat, picture('big.png', Buffer.concat([PIXEL, Buffer.alloc(1_000)])));
    await alertOf(chat).getByText('“big.png” is bigger than this gateway accepts').waitFor();
    await choose(chat, picture('odd.png', Buffer.from([0, 1, 2, 3])));
    await alertOf(chat).getByText('does not accept files like “odd.png”').waitFor();
    await choose(chat, ...Array.from({ length: 11 }, (_, i) => picture(`${i + 1}`)));
    await alertOf(chat).getByText('at most 10 files. Send “11” with the next one').waitFor();
    expect(await trayOf(chat).getByRole('listitem').count()).toBe(10);
  });

  it('[W-26] stays with a message that was written without a connection when the page is reloaded', async () => {
    const context = await suite.browser.newContext();
    let isDeaf = false;
    await context.routeWebSocket(/.*/, (socket) => {
      const gateway = socket.connectToServer();
      socket.onMessage((message) => {
        if (!isDeaf || !String(message).includes('message_in')) gateway.send(message);
      });
    });
    const chat = await suite.openIn(context);
    await chat.waitForWelcome();
    await choose(chat, picture('late.png'));
    await trayOf(chat).locator('[aria-busy=false]').waitFor();
    isDeaf = true;
    await chat.say('with a picture');
    await expectShown(chat, 'late.png');
    isDeaf = false;
    await chat.page.reload();
    await chat.waitForEnds();
    await expectShown(chat, 'late.png');
  });

  describe('of a gateway with credentials', () => {
    let gateway: GatewayApp;
    beforeAll(async () => {
      gateway = await GatewayApp.start({
        agent: PictureAgentModule,
        settings: {
          'media.folder': folder,
          'auth.tokens': [{ token: TOKEN, principal: 'operator', role: 'operator' }],
        },
      });
    });
    afterAll(() => gateway.close());

    it('[W-27] is sent and read with the token, which appears in no address, and is released with its message', async () => {
      const chat = await suite.open({}, gateway.url);
      await chat.page.evaluate(
        '{ globalThis.letGo = []; const { revokeObjectURL } = URL; URL.revokeObjectURL = (url) => (letGo.push(url), revokeObjectURL(url)); }',
      );
      await chat.page.getByLabel('Token').fill(TOKEN);
      await chat.page.getByLabel('Token').press('Enter');
      await chat.waitForWelcome();
      await choose(chat, picture('secret.png'));
      await trayOf(chat).locator('[aria-busy=false]').waitFor();
      await chat.ask('look');
      await expectShown(chat, 'secret.png');
      await chat.blocks.getByRole('img', { name: 'yours' }).waitFor();
      await chat.blocks.getByText('nobody’s: the gateway no longer has it').waitFor();
      expect(chat.complaints.requests.join(' ')).not.toContain(TOKEN);
      const address = await chat.said.getByRole('img', { name: 'secret.png' }).getAttribute('src');
      await chat.page.getByRole('button', { name: 'New conversation' }).click();
      await chat.waitForWelcome();
      expect(await chat.page.evaluate('letGo')).toContain(address);
    });
  });
});
