import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { addressOf, findFaults } from '../support/page-checks.js';

const TOKENS = {
  operator: 'operator-token-0123456789',
  deputy: 'deputy-token-0123456789ab',
  alice: 'alice-token-0123456789abc',
};
const suite = useChat({
  settings: {
    'auth.tokens': [
      { token: TOKENS.operator, principal: 'operator', role: 'operator' },
      { token: TOKENS.deputy, principal: 'deputy', role: 'operator' },
      { token: TOKENS.alice, principal: 'alice', role: 'user' },
    ],
  },
});

async function openAs(person: keyof typeof TOKENS, path = '/chat'): Promise<ChatPage> {
  const chat = await suite.open({}, suite.gateway.url, path);
  await chat.page.getByLabel('Token').fill(TOKENS[person]);
  await chat.page.getByLabel('Token').press('Enter');
  await chat.waitForConnection();
  return chat;
}

/** The messages with the names of their authors, as a screen reader reads them. */
const authors = async (chat: ChatPage) =>
  (await chat.page.locator('.said').evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')))).map(
    (label) => label?.split(',')[0],
  );

describe('the link of a conversation', () => {
  it('[W-79] says to another operator whose it is and who wrote what, on every page, also after a reload', async () => {
    const owner = await openAs('operator');
    await owner.ask('What is planned?');
    const { pathname, hash } = new URL(await addressOf(owner.page));
    const visitor = await openAs('deputy', pathname + hash);
    await visitor.waitForEnds();
    await visitor.page.getByText('operator’s conversation · you write as deputy').waitFor();
    expect(await findFaults(visitor)).toEqual([]);
    await visitor.ask('And who pays?', 2);
    await owner.waitForEnds(2);
    expect(await authors(visitor)).toEqual(['operator', 'You']);
    expect(await authors(owner)).toEqual(['You', 'deputy']);
    expect(await visitor.said.locator('.who').allInnerTexts()).toEqual(['operator']);
    expect(await visitor.page.locator('.said').first().getByRole('button', { name: 'Edit' }).count()).toBe(0);
    expect(await owner.page.getByText('you write as').count()).toBe(0);
    await visitor.page.reload();
    await visitor.waitForEnds(2);
    await visitor.page.getByText('operator’s conversation · you write as deputy').waitFor();
    expect(await authors(visitor)).toEqual(['operator', 'You']);
    await visitor.page.getByRole('link', { name: 'What is planned? operator' }).waitFor();
    const [download] = await Promise.all([visitor.page.waitForEvent('download'), visitor.command('Save as Markdown')]);
    const text = readFileSync(await download.path(), 'utf8');
    expect(text.match(/^## (?:operator|deputy|You),/gm)).toEqual(['## operator,', '## You,']);
  });

  it('[W-79] shows to a user what an operator wrote in their place', async () => {
    const user = await openAs('alice');
    await user.ask('Is it done?');
    const { pathname, hash } = new URL(await addressOf(user.page));
    const operator = await openAs('operator', pathname + hash);
    await operator.page.getByText('alice’s conversation · you write as operator').waitFor();
    await operator.ask('Yes, I did it', 2);
    await user.waitForEnds(2);
    expect(await authors(user)).toEqual(['You', 'operator']);
  });
});
