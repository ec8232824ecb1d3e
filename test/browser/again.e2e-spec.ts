import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useChat } from '../support/chat-page.js';

const suite = useChat();

describe.concurrent('an answered message', () => {
  it('[W-60] is edited in the composer and sent in its place; the old exchange folds, also after a reload', async () => {
    const chat = await suite.open();
    await chat.ask('/blocks 1');
    await chat.ask('/blocks 2', 2);
    await chat.input.fill('a draft');
    await chat.page.locator('.exchange').first().hover();
    await chat.page.getByRole('button', { name: 'Edit', exact: true }).first().click();
    await chat.page.getByText('You edit an earlier message').waitFor();
    expect(await chat.input.inputValue()).toBe('/blocks 1');
    await chat.say('/blocks 3');
    const fold = chat.page.getByText('Earlier version, 2 messages · show');
    await fold.waitFor();
    expect(await chat.input.inputValue()).toBe('a draft');
    await eventually(async () =>
      expect(await chat.said.filter({ visible: true }).allInnerTexts()).toEqual(['/blocks 3']),
    );
    await chat.page.reload();
    await fold.click();
    await eventually(async () =>
      expect(await chat.said.filter({ visible: true }).allInnerTexts()).toEqual([
        '/blocks 1',
        '/blocks 2',
        '/blocks 3',
      ]),
    );
    expect(await chat.page.getByRole('button', { name: 'Edit', exact: true }).count()).toBe(1);
  });

  it('[W-60] is answered again, after a warning where tools may run again', async () => {
    const chat = await suite.open();
    await chat.ask('/tool time.now {}');
    await chat.page.getByRole('button', { name: 'Answer again' }).click();
    expect(await chat.said.count()).toBe(1);
    await chat.page.getByRole('button', { name: 'Its tools may run again' }).click();
    await chat.page.getByText('Earlier version · show').waitFor();
    await eventually(async () => expect(await chat.replies.filter({ visible: true }).count()).toBe(1));
    expect(await chat.said.count()).toBe(2);
  });

  it('leaves the composer as it was when editing is given up', async () => {
    const chat = await suite.open();
    await chat.ask('/blocks 1');
    await chat.input.fill('a draft');
    await chat.page.getByRole('button', { name: 'Edit', exact: true }).click();
    await chat.page.getByRole('button', { name: 'Do not edit' }).click();
    expect(await chat.input.inputValue()).toBe('a draft');
    expect(await chat.page.getByText('You edit an earlier message').count()).toBe(0);
  });
});
