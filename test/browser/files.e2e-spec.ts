import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useChat, type ChatPage } from '../support/chat-page.js';

const suite = useChat();
const trayOf = (chat: ChatPage) => chat.page.getByRole('list', { name: 'Files to be sent' });

/** A microphone that hums. `letGo` counts the ends of its recordings. */
const MICROPHONE = `{
  globalThis.letGo = 0;
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const { stream } = tone.connect(context.createMediaStreamDestination());
    tone.start();
    const [track] = stream.getTracks();
    const stop = track.stop.bind(track);
    track.stop = () => { letGo++; stop(); };
    return stream;
  };
}`;

const openWith = async (script: string) => {
  const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
  await context.addInitScript(script);
  const chat = await suite.openIn(context);
  await chat.waitForWelcome();
  return chat;
};

describe.concurrent('a voice message', () => {
  it('[W-71] is recorded, shows how long it is, and goes with a message as sound', async () => {
    const chat = await openWith(MICROPHONE);
    await chat.page.getByRole('button', { name: 'Record a voice message' }).click();
    await chat.page.getByText('1 s', { exact: true }).waitFor();
    await chat.page.getByRole('button', { name: 'Stop recording' }).click();
    await trayOf(chat).getByText('Voice message.m4a').waitFor();
    await trayOf(chat).locator('[aria-busy=false]').waitFor();
    expect(await chat.page.evaluate('letGo')).toBe(1);
    await chat.ask('listen');
    await chat.said.locator('audio').waitFor();
  });

  it('[W-71] is discarded by Escape, which stops no answer then, and by a button', async () => {
    const chat = await openWith(MICROPHONE);
    await chat.say('/blocks 3 1000');
    await chat.page.getByRole('button', { name: 'Record a voice message' }).click();
    await chat.page.getByText('1 s', { exact: true }).waitFor();
    await chat.input.press('Escape');
    await chat.page.getByRole('button', { name: 'Record a voice message' }).waitFor();
    await eventually(async () => expect(await chat.page.evaluate('letGo')).toBe(1));
    await chat.waitForEnds();
    expect(await chat.blocks.count()).toBe(3);
    await chat.page.getByRole('button', { name: 'Record a voice message' }).click();
    await chat.page.getByRole('button', { name: 'Discard the recording' }).click();
    await eventually(async () => expect(await chat.page.evaluate('letGo')).toBe(2));
    expect(await trayOf(chat).count()).toBe(0);
  });

  it('[W-71] ends when another conversation is shown, and stays with its own', async () => {
    const chat = await openWith(MICROPHONE);
    await chat.ask('/blocks 1');
    await chat.page.getByRole('button', { name: 'Record a voice message' }).click();
    await chat.page.getByText('1 s', { exact: true }).waitFor();
    await chat.page.getByRole('button', { name: 'New conversation' }).click();
    await chat.waitForWelcome();
    await chat.page.getByRole('button', { name: 'Record a voice message' }).waitFor();
    await eventually(async () => expect(await chat.page.evaluate('letGo')).toBe(1));
    expect(await trayOf(chat).count()).toBe(0);
    await chat.page.locator('.entry').first().click();
    await trayOf(chat).getByText('Voice message.m4a').waitFor();
  });

  it('[W-71] that may not be recorded says what to do', async () => {
    const chat = await openWith(
      "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))",
    );
    await chat.page.getByRole('button', { name: 'Record a voice message' }).click();
    await chat.page.getByText('The microphone cannot be used. Allow it').waitFor();
  });
});

describe('an upload', () => {
  it('[W-71] shows how much of it is sent, and its size at the end', async () => {
    const chat = await openWith('');
    await chat.page.evaluate(`{
      globalThis.parts = [];
      new MutationObserver(() => {
        const bar = document.querySelector('.pictures progress');
        if (bar) parts.push(bar.value);
      }).observe(document.body, { childList: true, subtree: true, attributes: true });
    }`);
    const network = await chat.context.newCDPSession(chat.page);
    await network.send('Network.enable');
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400_000 };
    await network.send('Network.emulateNetworkConditions', slow);
    const buffer = Buffer.from('a line of text\n'.repeat(40_000));
    await chat.bring('drop', { name: 'long.txt', mimeType: 'text/plain', buffer });
    await trayOf(chat).getByText('600 kB').waitFor();
    const parts = await chat.page.evaluate<number[]>('parts');
    expect(parts.filter((part) => part > 0 && part < 1).length).toBeGreaterThan(0);
    expect(parts).toEqual(parts.toSorted((a, b) => a - b));
    expect(await trayOf(chat).getByRole('progressbar').count()).toBe(0);
  });
});
