import { describe, expect, it } from 'vitest';
import type { ToolCallContext } from '../../core/tools/tool.js';
import { BrowserActTool } from './act.tool.js';
import type { BrowsersService } from './process/browsers.service.js';
import { readTree } from './page/page-tree.js';
import { ShownPage } from './page/shown-page.js';

/** A page with a button, which does not respond when its facts are read. */
function openPage() {
  const root = readTree([{ role: 'button', name: 'Pay', ref: 'e1' }], (text) => text);
  const clicks: string[] = [];
  const current = {
    ...{ shown: new ShownPage(root), acceptsDialogs: false },
    read: async () => ({ root, url: 'https://shop.example/', title: '', silent: [] }),
    locate: (ref: string) => ({
      evaluate: () => Promise.reject(new Error('Timeout 5000ms exceeded')),
      click: async () => void clicks.push(ref),
    }),
  };
  const run = (_call: unknown, action: (own: object) => unknown) => action({ current });
  const browsers = { use: run, useIfOpen: run } as unknown as BrowsersService;
  return { clicks, tool: new BrowserActTool(browsers, { get: () => true } as never, {} as never) };
}

describe('an act on an element that does not respond to its review', () => {
  it('[U-06] is refused: nothing says that it needs no person', async () => {
    const { clicks, tool } = openPage();
    const click = { ref: 'e1', action: 'click' as const };
    const call = {} as ToolCallContext;
    expect(await tool.review(click, call)).toEqual({ needsApproval: false });
    await expect(tool.execute(click, call)).rejects.toThrow('e1 does not respond, nothing was done');
    expect(clicks).toEqual([]);
  });

  it('[U-04] [U-06] shows the length of what it enters alone', async () => {
    const { tool } = openPage();
    const fill = { ref: 'e1', action: 'fill' as const, value: 'hunter2' };
    const shownParameters = { ...fill, value: '(secret, 7 characters)' };
    expect(await tool.review(fill, {} as ToolCallContext)).toEqual({ needsApproval: false, shownParameters });
  });
});
