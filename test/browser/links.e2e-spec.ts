import { describe, expect, it } from 'vitest';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { eventually } from '../support/eventually.js';

const suite = useChat();
const NOT_HERE = 'The message of this address is not in this conversation.';
const toast = (chat: ChatPage, text = NOT_HERE) => chat.page.locator('.toast').getByText(text).waitFor();
const refOf = async (chat: ChatPage) => (await chat.page.locator('[data-ref]').first().getAttribute('data-ref')) ?? '';

async function openOne(): Promise<{ chat: ChatPage; conversation: string; sender: string }> {
  const chat = await suite.open();
  await chat.ask('A week in Lisbon');
  const known = await chat.page.evaluate(
    () => localStorage.getItem('openclaw.webchat.default/local.conversations') ?? '[]',
  );
  const [{ sender = '', sessionId = '' } = {}] = JSON.parse(known) as { sender?: string; sessionId?: string }[];
  return { chat, conversation: sessionId, sender };
}

describe.concurrent('an address that names a message', () => {
  it.each([
    ['of the shown conversation', (names: { conversation: string }) => names],
    ['of a conversation by its sender', ({ sender }: { sender: string }) => ({ conversation: sender })],
    ['of no conversation', () => ({})],
    ['of a new conversation', () => ({ conversation: 'new' })],
  ])('[W-76] %s says so when the message is not there, and again after a reload', async (_case, nameIt) => {
    const { chat, ...names } = await openOne();
    const { conversation } = nameIt(names) as { conversation?: string };
    const place = new URLSearchParams({ ...(conversation !== undefined && { conversation }), message: 'm_nothere' });
    await chat.page.goto('about:blank');
    await chat.page.goto(`${suite.gateway.url}/chat#${place.toString()}`);
    await toast(chat);
    await chat.page.reload();
    await toast(chat);
  });

  it('[W-76] without its conversation shows the message in the one that was shown last', async () => {
    const { chat } = await openOne();
    await chat.ask('/blocks 60', 2);
    const ref = await refOf(chat);
    await chat.page.goto('about:blank');
    await chat.page.goto(`${suite.gateway.url}/chat#message=${ref}`);
    await eventually(async () =>
      expect(await chat.page.evaluate("document.activeElement.getAttribute('data-ref')")).toBe(ref),
    );
    expect(await chat.page.locator('.toast').count()).toBe(0);
  });

  it('[W-76] shows the message also where it is folded away', async () => {
    const { chat } = await openOne();
    const ref = await refOf(chat);
    await chat.page.getByRole('button', { name: 'Answer again' }).click();
    await chat.page.getByText('Earlier version · show').waitFor();
    await chat.page.evaluate(`location.hash += '&message=${ref}'`);
    await chat.page.locator(`[data-ref="${ref}"]`).waitFor({ state: 'visible' });
  });

  it('[W-76] does not say that it is not there while a part cannot be read, and looks again when asked', async () => {
    const { chat, conversation } = await openOne();
    let isBroken = true;
    await chat.page.routeWebSocket(/.*/, (socket) => {
      const gateway = socket.connectToServer();
      socket.onMessage((message) => {
        const { id, type } = JSON.parse(String(message)) as { id: string; type: string };
        if (type !== 'history' || !isBroken) return gateway.send(message);
        const payload = { code: 'INTERNAL', message: 'Internal error', retryable: false };
        socket.send(JSON.stringify({ type: 'error', id: 'e', timestamp: 1, correlation_id: id, payload }));
      });
    });
    const ref = await refOf(chat);
    await chat.page.goto('about:blank');
    await chat.page.goto(`${suite.gateway.url}/chat#conversation=${conversation}&message=${ref}`);
    await toast(chat, 'not all of the conversation could be read');
    isBroken = false;
    await chat.page.locator('.toast').getByRole('button', { name: 'Try again' }).click();
    await eventually(async () =>
      expect(await chat.page.evaluate("document.activeElement.getAttribute('data-ref')")).toBe(ref),
    );
  });

  it('[W-76] waits for a connection before it says anything', async () => {
    const { chat, conversation } = await openOne();
    let isOpen = false;
    await chat.page.routeWebSocket(/.*/, (socket) => {
      if (isOpen) socket.connectToServer();
      else void socket.close();
    });
    await chat.page.goto('about:blank');
    await chat.page.goto(`${suite.gateway.url}/chat#conversation=${conversation}&message=m_nothere`);
    await chat.connection.getByText('No live connection').waitFor();
    expect(await chat.page.locator('.toast').count()).toBe(0);
    isOpen = true;
    await chat.tryNow();
    await toast(chat);
  });
});
