import { describe, expect, it } from 'vitest';
import { judgeAct, type ActFacts } from './act-review.js';
import type { PageNode } from './page/page-tree.js';

const aNode = (role: string, name: string): PageNode => ({
  ...{ role, name, text: '', states: [], detail: '', ref: 'e1', children: [] },
});
const page = { url: 'https://shop.example/cart?token=1', asksForSubmits: true };
const noForm: ActFacts = { isSecret: false, label: '' };
const form = (changes: object = {}): ActFacts => ({
  ...{ isSecret: false, label: '' },
  form: { isSubmitter: true, method: '', action: 'https://shop.example/send', hasCard: false, ...changes },
});
const click = { action: 'click' };
const enter = { action: 'press', value: 'Enter' };

describe('an act', () => {
  it.each([
    ['Buy now'],
    ['Place your order'],
    ['Order'],
    ['Zahlungspflichtig bestellen'],
    ['Jetzt kaufen'],
    ['Payer 20 €'],
    ['立即购买'],
    ['Confirm payment'],
  ])('[U-06] needs an approval if it presses "%s"', (name) => {
    expect(judgeAct(click, aNode('button', name), noForm, page)).toMatchObject({ needsApproval: true });
    expect(judgeAct(click, aNode('img', ''), { ...noForm, label: name }, page)).toMatchObject({ needsApproval: true });
  });

  it.each([['Cancel'], ['Search'], ['Order by name'], ['Payload'], ['Orders'], ['Bookmarks'], ['']])(
    '[U-06] needs none if it presses "%s"',
    (name) => {
      expect(judgeAct(click, aNode('button', name), noForm, page)).toMatchObject({ needsApproval: false });
    },
  );

  it('[U-06] needs an approval if it sends a form by POST or one with a card, by a click or a key', () => {
    const button = aNode('button', 'Go');
    const field = aNode('textbox', 'Name');
    expect(judgeAct(click, button, form({ method: 'post' }), page)).toEqual({
      needsApproval: true,
      shown: 'click button "Go" on "https://shop.example/cart": sends a form to "https://shop.example/send"',
    });
    expect(judgeAct(click, button, form({ hasCard: true }), page).needsApproval).toBe(true);
    expect(judgeAct(enter, field, form({ method: 'post', isSubmitter: false }), page).needsApproval).toBe(true);
    expect(judgeAct(click, field, form({ method: 'post', isSubmitter: false }), page).needsApproval).toBe(false);
    expect(judgeAct(click, button, form(), page).needsApproval).toBe(false);
    expect(judgeAct({ action: 'hover' }, button, form({ method: 'post' }), page).needsApproval).toBe(false);
  });

  it('[U-06] needs none for submits if the settings say so', () => {
    const quiet = { ...page, asksForSubmits: false };
    expect(judgeAct(click, aNode('button', 'Buy'), form({ method: 'post' }), quiet).needsApproval).toBe(false);
  });

  it.each([
    [{ action: 'fill', value: 'hunter2' }, true],
    [{ action: 'press', value: 'h' }, true],
    [{ action: 'press', value: 'Tab' }, false],
  ])('[U-06] that enters a secret always needs an approval, which does not show the secret: %j', (act, asks) => {
    const field = aNode('textbox', 'Password');
    const review = judgeAct(act, field, { ...noForm, isSecret: true }, { ...page, asksForSubmits: false });
    expect(review.needsApproval).toBe(asks);
    expect(JSON.stringify(review)).not.toContain('hunter2');
  });
});
