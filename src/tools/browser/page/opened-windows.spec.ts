import { EventEmitter } from 'node:events';
import type { CDPSession } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../testing/manual-clock.js';
import { OpenedWindows } from './opened-windows.js';

const TIMEOUT_MS = 3_500;

/** A page with the protocol of its tab, and what waits for its windows. */
async function watchPage() {
  const clock = new ManualClock();
  const page = new EventEmitter();
  const protocol = Object.assign(new EventEmitter(), { send: async () => ({}) });
  const windows = new OpenedWindows(page as never, clock);
  await windows.watch(protocol as unknown as CDPSession);
  const wait = async () => {
    let isOver = false;
    void windows.whenThere(TIMEOUT_MS).then(() => (isOver = true));
    await new Promise(setImmediate);
    return {
      isOver: async () => {
        await new Promise(setImmediate);
        return isOver;
      },
    };
  };
  return {
    clock,
    wait,
    announce: (url: string) => protocol.emit('Page.windowOpen', { url }),
    open: () => page.emit('popup'),
    close: () => page.emit('close'),
  };
}

describe('the windows of a page', () => {
  it('are waited for until each has its tab', async () => {
    const page = await watchPage();
    page.announce('http://127.0.0.1/child');
    page.announce('about:blank');
    const waiting = await page.wait();
    page.open();
    expect(await waiting.isOver()).toBe(false);
    page.open();
    expect(await waiting.isOver()).toBe(true);
  });

  it('are not waited for if there are none, also after a tab that was not announced', async () => {
    const page = await watchPage();
    expect(await (await page.wait()).isOver()).toBe(true);
    page.open();
    page.announce('http://127.0.0.1/child');
    expect(await (await page.wait()).isOver()).toBe(false);
  });

  it('are not waited for if their address opens another program', async () => {
    const page = await watchPage();
    page.announce('mailto:ann@example.org');
    expect(await (await page.wait()).isOver()).toBe(true);
  });

  it('are waited for once, and for a limited time, if their tabs never come', async () => {
    const page = await watchPage();
    page.announce('http://127.0.0.1/child');
    const waiting = await page.wait();
    page.clock.advance(TIMEOUT_MS);
    expect(await waiting.isOver()).toBe(true);
    expect(await (await page.wait()).isOver()).toBe(true);
  });

  it('are not waited for when the page is closed', async () => {
    const page = await watchPage();
    page.announce('http://127.0.0.1/child');
    const waiting = await page.wait();
    page.close();
    expect(await waiting.isOver()).toBe(true);
  });
});
