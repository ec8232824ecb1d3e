import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { useChat } from '../support/chat-page.js';
import { openConsole, waitForLive, type OpenOptions } from '../support/console-page.js';
import { eventually } from '../support/eventually.js';
import { FilledGateway, WATCHER } from '../support/filled-gateway.js';
import { TOKENS } from '../support/gateway-app.js';
import { addressOf, findFaults, SIDEWAYS } from '../support/page-checks.js';

const HOSTILE = `<img src=x onerror=alert(1)> \u202eevil ${'x'.repeat(10_000)}`;

/** An expression: how far the tail of the logs is from its end, in pixels. */
const FROM_END =
  "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('.log'))";

const filled = new FilledGateway();
const suite = useChat(filled.options);
const refs = { running: '', failed: '', job: '' };

beforeAll(async () => {
  await filled.attach(suite.gateway);
  await filled.bury('Where is my parcel?', 'And the other one?');
  await filled.knock('zoe');
  refs.failed = (await filled.say('/fail', 'eve')).ref;
  refs.running = (await filled.run('ann')).ref;
  await filled.say('one that waits', 'ann');
  await filled.ask(5);
  refs.job = await filled.addJob();
  await filled.admin.post(`cron/jobs/${refs.job}/run`);
  await filled.pairNode();
  await filled.admin.post('tokens', { principal: 'ci', role: 'operator', scopes: ['admin:read'] });
  await filled.admin.patch('config', { version: 0, changes: { 'agent.name': 'ada' } });
  filled.logs.for('store').error({ n: 1 }, 'the disk is slow');
});

const open = (path: string, options: OpenOptions = {}) =>
  openConsole(suite, path, { token: TOKENS.operator, ...options });
const rowOf = (page: Page, text: string): Locator => page.getByRole('row').filter({ hasText: text });
const toast = (page: Page, text: string) => page.locator('.toast').getByText(text).waitFor();
const press = (scope: Page | Locator, name: string) => scope.getByRole('button', { name, exact: true }).click();
const read = async (path: string) => (await filled.admin.get(path)).body;

/** The pages, with a text that each of them shows. */
const PAGES = (): readonly (readonly [path: string, text: string])[] => [
  ['/queue', 'needs you'],
  [`/messages/${refs.running}`, '/wait 60000'],
  [`/messages/${refs.failed}`, 'failed'],
  ['/dead-letters', 'the call failed: refused'],
  ['/approvals', 'acme.pay'],
  ['/people', 'eve'],
  ['/channels', 'pigeon'],
  ['/channels/pigeon', 'zoe'],
  ['/nodes', '1 changed command'],
  ['/nodes/kitchen-mac', 'changed: needs you'],
  ['/cron', 'at 08:00 on Monday to Friday'],
  [`/cron/${refs.job}`, '0 8 * * 1-5'],
  ['/tools', 'Pays.'],
  ['/tools/acme.pay', 'asks a person'],
  ['/config', 'agent.name'],
  ['/config/agent.name', 'New value'],
  ['/config/history', 'Version 1'],
  ['/tokens', 'ci'],
  ['/usage', 'answers of models'],
  ['/audit', 'The chain is intact'],
  ['/logs', 'the disk is slow'],
];
const NAMES = ['queue', 'messages', 'dead-letters', 'approvals', 'channels', 'nodes', 'cron', 'tools', 'config'];
const GROUPS = [...NAMES, 'tokens', 'usage', 'audit', 'logs'];

describe('each page', () => {
  it.each(GROUPS)(
    '[CO-21] %s opens from its link, and has no barrier in any colours and at any width',
    async (name) => {
      for (const [path, text] of PAGES().filter(([each]) => each.split('/')[1] === name)) {
        const chat = await open(path);
        await chat.page.getByText(text).first().waitFor();
        expect([path, await findFaults(chat)]).toEqual([path, []]);
        await chat.context.close();
      }
    },
    120_000,
  );

  it('[CO-09] can be read by an operator who may only read, and nothing on it can be changed', async () => {
    const { page } = await open('/queue', { token: WATCHER });
    for (const [path, text] of PAGES()) {
      await page.goto(`${suite.gateway.url}/console${path}`);
      await page.getByText(text).first().waitFor();
      const open_ = await page
        .locator(
          'console-action button:not(:disabled):visible, .toggle:not(:disabled):visible, form:not(.filters) .main:not(:disabled):visible',
        )
        .allInnerTexts();
      // An export changes nothing.
      expect([path, open_.filter((label) => label.trim() !== 'Export')]).toEqual([path, []]);
    }
    const response = await fetch(`${suite.gateway.url}/admin/v1/messages/${refs.running}/cancel`, {
      method: 'POST',
      headers: { authorization: `Bearer ${WATCHER}` },
    });
    expect(response.status).toBe(403);
  });

  it('[CO-05] says of a thing that is not there, or not theirs, that it is not here', async () => {
    const { page } = await open('/queue');
    for (const path of ['/messages/m_none_1', '/channels/none', '/nodes/none', '/cron/none', '/tools/none']) {
      await page.goto(`${suite.gateway.url}/console${path}`);
      await page.getByText('There is nothing at this address, or it is not yours to see.').waitFor();
    }
  });

  it('[CO-06] that cannot be read says so, and is not an empty one', async () => {
    const { page } = await open('/sessions');
    await page.route('**/admin/v1/**', (route) =>
      /\/(me|status|events)(\?|$)/.test(route.request().url())
        ? route.continue()
        : route.fulfill({ status: 500, body: '{' }),
    );
    for (const [path] of PAGES().filter(([each]) => !each.startsWith('/config/'))) {
      await page.goto(`${suite.gateway.url}/console${path}`);
      await page.getByRole('alert').first().waitFor();
      expect([path, await page.locator('.page .empty').count()]).toEqual([path, 0]);
    }
  });
});

describe('the queue', () => {
  it('[CO-08] [CO-21] shows what comes as a count, and cancels at the second press', async () => {
    const { page } = await open('/queue');
    await waitForLive(page);
    await page.locator('.table[aria-busy=false]').nth(1).waitFor();
    const { ref } = await filled.run('quinn');
    await page.getByRole('button', { name: '1 new' }).click();
    const row = page.getByRole('row').filter({ has: page.locator(`a[href$="${ref}"]`) });
    await press(row, 'Cancel');
    expect(await read('turns')).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ message_ref: ref })]),
    });
    await press(row, 'Cancel it?');
    await toast(page, 'The message was cancelled.');
    await filled.until('turns', (items) => items.every((item) => item['message_ref'] !== ref));
    await page.locator('.row.gone').filter({ hasText: 'quinn' }).waitFor();
  });

  it('[CO-06] shows the end of a row where it is, without a clock and an action, and the focus stays in it', async () => {
    const { ref } = await filled.run('rita');
    const next = await filled.say('/wait 60000', 'rita');
    const last = await filled.say('and this', 'rita');
    const { page } = await open('/queue');
    await waitForLive(page);
    const listOf = (name: string) => page.getByRole('table', { name });
    const rowIn = (list: Locator, each: string) =>
      list.getByRole('row').filter({ has: page.locator(`a[href$="/messages/${each}"]`) });
    const row = rowIn(listOf('Running turns'), ref);
    const waiting = rowIn(listOf('Queue'), last.ref);
    await waiting.locator('.cell.number').first().getByText('2', { exact: true }).waitFor();
    await row.getByRole('button', { name: 'Cancel' }).focus();
    await page.keyboard.press('Enter');
    await row.getByRole('button', { name: 'Cancel it?' }).waitFor();
    await page.keyboard.press('Enter');
    await row.getByText('cancelled').waitFor();
    expect([await row.getByRole('button').count(), await row.locator('time').count()]).toEqual([0, 0]);
    await eventually(async () => expect(await row.locator(':focus').count()).toBe(1));
    // The next one runs: the last one is the first that waits, behind it.
    await rowIn(listOf('Queue'), next.ref).getByText('running').waitFor();
    await waiting.locator('.cell.number').first().getByText('1', { exact: true }).waitFor();
    await waiting.locator(`a[href$="${next.ref}"]`).waitFor();
    await filled.admin.post(`messages/${next.ref}/cancel`);
    await filled.admin.post(`messages/${last.ref}/cancel`);
    await waiting.getByText(/done|cancelled/).waitFor();
  });

  it('[CO-24] waiting messages of one conversation are cancelled together, and no others', async () => {
    const { ref } = await filled.run('tom');
    const said = [
      await filled.say('first', 'tom'),
      await filled.say('second', 'tom'),
      await filled.say('third', 'tom'),
    ];
    const isOwn = (item: Readonly<Record<string, unknown>>) => item['running_ref'] === ref;
    const others = (await filled.list('queue')).filter((item) => !isOwn(item)).length;
    const chat = await open(`/queue?session_id=${said[0]!.sessionId}`);
    const { page } = chat;
    await page.getByLabel(`Select ${said[0]!.ref}`).check();
    await press(page, 'Select all matching');
    await page.getByText('3 selected').waitFor();
    expect(await findFaults(chat)).toEqual([]);
    await press(page, 'Cancel 3…');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('3 messages get no answer.').waitFor();
    await dialog.getByLabel('Type 3 to go on').fill('3');
    await press(dialog, 'Cancel 3');
    await toast(page, '3 of 3 cancelled.');
    expect((await filled.list('queue')).length).toBe(others);
    await filled.until('turns', (items) => items.some((item) => item['message_ref'] === ref));
  });

  it('[CO-21] a failed message is retried as one of its own, to which the page leads', async () => {
    const { ref } = await filled.say('/fail', 'rita');
    const { page } = await open(`/messages/${ref}`);
    await press(page, 'Retry');
    await press(page, 'Tools may run again. Retry?');
    await page.waitForURL((url) => url.pathname.startsWith('/console/messages/') && !url.pathname.endsWith(ref));
    expect(await read(`messages/${ref}`)).toMatchObject({
      superseded_by: new URL(await addressOf(page)).pathname.split('/').at(-1),
    });
  });
});

describe('the things of a list', () => {
  it('[CO-03] follow one another by the keys [ and ]', async () => {
    const { page } = await open('/tools');
    await page.locator('.spacer .row a').nth(2).waitFor();
    const names = await page.locator('.spacer .row a').allInnerTexts();
    await page.getByRole('link', { name: names[0], exact: true }).click();
    for (const [key, at] of [
      [']', 1],
      [']', 2],
      ['[', 1],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole('heading', { level: 1, name: names[at], exact: true }).waitFor();
    }
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: names[2], exact: true }).waitFor();
  });
});

describe('dead letters', () => {
  it('[CO-24] are discarded as they were selected, with the number typed, and a later one stays', async () => {
    await filled.bury('first of three', 'second of three');
    const { page } = await open('/dead-letters');
    await waitForLive(page);
    const before = (await filled.list('dead-letters')).map(({ id }) => id);
    for (const id of before.slice(0, 2)) await page.getByLabel(`Select ${String(id)}`).check();
    await press(page, 'Discard 2…');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('2 answers are deleted').waitFor();
    await filled.bury('one that came later');
    expect(await dialog.getByRole('button', { name: 'Discard 2' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Type 2 to go on').fill('2');
    await press(dialog, 'Discard 2');
    await toast(page, '2 of 2 discarded.');
    const after = (await filled.list('dead-letters')).map(({ id }) => id);
    expect(after.slice(1)).toEqual(before.slice(2));
    expect(before).not.toContain(after[0]);
    await page.getByRole('button', { name: '1 new' }).waitFor();
  });

  it('[CO-24] are selected all at once as they are now, and want the number typed; what fails stays selected', async () => {
    await filled.bury('one', 'two', 'three');
    const chat = await open('/dead-letters');
    const { page } = chat;
    await waitForLive(page);
    const before = (await filled.list('dead-letters')).map(({ id }) => String(id));
    await page.getByLabel(`Select ${before[0]}`).check();
    await page.getByRole('button', { name: 'Retry 1', exact: true }).waitFor();
    await press(page, 'Select all matching');
    await page.getByText(`${before.length} selected`).waitFor();
    expect(await page.getByRole('button', { name: 'Select all matching' }).count()).toBe(0);
    expect(await findFaults(chat)).toEqual([]);
    await filled.bury('one that came later');
    await page.getByRole('button', { name: '1 new' }).waitFor();
    await page.route(`**/dead-letters/${before[1]}`, (route) =>
      route.fulfill({ status: 503, json: { detail: 'The store does not respond', code: 'STORE_UNAVAILABLE' } }),
    );
    await press(page, `Discard ${before.length}…`);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(`Type ${before.length} to go on`).fill(String(before.length));
    await press(dialog, `Discard ${before.length}`);
    await toast(page, `${before.length - 1} of ${before.length} discarded. 1 failed and stay selected`);
    expect(await page.getByLabel(`Select ${before[1]}`).isChecked()).toBe(true);
    const after = (await filled.list('dead-letters')).map(({ id }) => String(id));
    expect([after.length, after[1]]).toEqual([2, before[1]]);
  });

  it('[CO-08] one is sent again at the second press, and its row is struck out', async () => {
    const { page } = await open('/dead-letters');
    const row = page.locator('.row[data-at="0"]');
    await press(row, 'Retry');
    await press(row, 'Send again?');
    await toast(page, 'The answer is sent again.');
    await page.locator('.row.gone[data-at="0"]').waitFor();
  });
});

describe('approvals', () => {
  const cardOf = (page: Page, id: unknown) => page.locator(`[data-id="${String(id)}"]`);

  it('[CO-22] a press that was begun on one call decides on it, though another one ends meanwhile', async () => {
    const [first, second] = [await filled.ask(70), await filled.ask(71)];
    const { page } = await open('/approvals');
    await waitForLive(page);
    const allow = cardOf(page, second['approval_id']).getByRole('button', { name: 'Allow' });
    await allow.hover();
    await page.mouse.down();
    const { arguments_sha256 } = first;
    await filled.admin.post(`approvals/${String(first['approval_id'])}`, { decision: 'deny', arguments_sha256 });
    await cardOf(page, first['approval_id']).getByText('denied by operator').waitFor();
    expect(await cardOf(page, first['approval_id']).getByRole('button').count()).toBe(0);
    await page.mouse.up();
    await toast(page, 'The call was allowed.');
    const allowed = await filled.list('approvals?state=allowed');
    expect(allowed.map(({ approval_id }) => approval_id)).toContain(second['approval_id']);
    expect(allowed.map(({ approval_id }) => approval_id)).not.toContain(first['approval_id']);
  });

  it('[CO-22] shows all arguments and the time that is left, and sends the hash of what it has drawn', async () => {
    const asked = await filled.ask(72);
    const { page } = await open('/approvals');
    const card = cardOf(page, asked['approval_id']);
    await card.getByText(/ends in \d/).waitFor();
    expect(await card.locator('.arguments').innerText()).toContain('72');
    const request = page.waitForRequest((each) => each.method() === 'POST');
    await card.getByRole('button', { name: 'Deny' }).focus();
    await page.keyboard.press('Enter');
    expect((await request).postDataJSON()).toEqual({ decision: 'deny', arguments_sha256: asked['arguments_sha256'] });
    await card.getByText('denied by operator').waitFor();
    // The next Tab goes on from there, not from the top.
    await eventually(async () => expect(await card.locator(':focus').count()).toBe(1));
  });

  it('[CO-22] of a call outside of turns lead to the conversation, and to no message', async () => {
    const { sessionId } = await filled.say('hello', 'payer-74');
    const call = filled.admin.post('tools/acme.pay/call', { parameters: { amount: 74 }, session_id: sessionId });
    const isIt = ({ session_id }: Readonly<Record<string, unknown>>) => session_id === sessionId;
    const asked = (await filled.until('approvals', (items) => items.some(isIt))).find(isIt);
    const { page } = await open('/approvals');
    const card = cardOf(page, asked?.['approval_id']);
    await card.getByRole('button', { name: 'Deny' }).waitFor();
    expect(await card.getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href')))).toEqual(
      [`/console/sessions/${sessionId}`],
    );
    await card.getByRole('button', { name: 'Deny' }).click();
    expect((await call).status).toBe(403);
  });

  it('[CO-06] has its state in the address', async () => {
    const { page } = await open('/approvals?state=denied');
    await page.getByText('denied by operator').first().waitFor();
    await page.getByLabel('State').selectOption('pending');
    await page.waitForURL((url) => url.search === '');
  });
});

describe('people', () => {
  it('[CO-21] are found, lead to their conversations, and are exported', async () => {
    const { page } = await open('/people');
    await page.getByLabel('Search by id').fill('ev');
    const row = rowOf(page, 'eve');
    await row.waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), press(row, 'Export')]);
    expect(file.suggestedFilename()).toBe('test-eve.jsonl');
    await row.getByRole('link', { name: 'eve' }).click();
    await page.getByRole('heading', { name: 'Conversations' }).waitFor();
    expect(new URL(await addressOf(page)).search).toBe('?participant=eve&channel=test');
    await expect.poll(() => page.locator('.spacer .row a').allInnerTexts()).toEqual(['eve']);
  });

  it('[CO-08] are erased after a question that wants the id typed, and the numbers are said', async () => {
    const { sessionId } = await filled.say('my secret', 'victor');
    await eventually(async () =>
      expect(JSON.stringify(await read(`sessions/${sessionId}/messages`))).toContain('"end"'),
    );
    const chat = await open('/people?q=victor');
    const { page } = chat;
    await press(rowOf(page, 'victor'), 'Erase…');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('All texts that 1 person has written').waitFor();
    expect(await dialog.getByRole('button', { name: 'Erase' }).isDisabled()).toBe(true);
    expect(await findFaults(chat)).toEqual([]);
    await dialog.getByLabel('Type victor to go on').fill('victor');
    await press(dialog, 'Erase');
    await toast(page, 'Erased: 1 message, 1 answer, 0 files, 0 memories.');
    expect(JSON.stringify(await read(`sessions/${sessionId}/messages`))).not.toContain('my secret');
  });
});

describe('a channel', () => {
  it('[CO-21] lets a person in by their code, and puts them out after a question', async () => {
    await filled.knock('yves');
    const { page } = await open('/channels/pigeon');
    await press(rowOf(page, 'yves'), 'Let in');
    await press(rowOf(page, 'yves'), 'Let in yves?');
    await toast(page, 'yves was let in.');
    await press(rowOf(page, 'yves'), 'Put out…');
    await page.getByRole('dialog').getByText('1 person cannot write to pigeon any more').waitFor();
    await press(page.getByRole('dialog'), 'Put out');
    await eventually(async () => expect(await filled.list('channels/pigeon/senders')).toEqual([]));
  });

  it('[CO-08] that is connected is stopped after a question, and started at once', async () => {
    const { page } = await open('/channels/pigeon');
    await press(page, 'Stop…');
    await press(page.getByRole('dialog'), 'Cancel');
    expect(await read('channels')).toMatchObject({ items: [{ state: 'connected' }] });
    await press(page, 'Stop…');
    await press(page.getByRole('dialog'), 'Stop');
    await press(page, 'Start');
    await toast(page, 'The channel starts.');
    await filled.until('channels', ([channel]) => channel?.['state'] === 'connected');
  });
});

describe('nodes', () => {
  it('[CO-26] a device is paired by a code, which is drawn and copied, counts down, and is gone afterwards', async () => {
    const { page } = await open('/nodes');
    await press(page, 'Pair a device…');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name; empty').fill('Phone');
    await press(dialog, 'Make a code');
    const code = await dialog.locator('.pairing-code').innerText();
    await dialog.getByRole('img', { name: `/node#pair=${code}` }).waitFor();
    await dialog.getByText(/ends in (9|10) min/).waitFor();
    await press(dialog, 'Done');
    await page.locator('.pairing-code').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(code);
  });

  it('[CO-08] is renamed with an undo, allowed after a comparison, and revoked after a question', async () => {
    await filled.pairNode('Lamp');
    const { page } = await open('/nodes/lamp');
    await press(page, 'Rename');
    await page.getByLabel('Name').fill('Desk lamp');
    await press(page, 'Save');
    await page.getByRole('heading', { name: 'Desk lamp' }).waitFor();
    await press(page, 'Undo');
    await page.getByRole('heading', { name: 'Lamp', exact: true }).waitFor();
    expect(await page.locator('.diff .old').innerText()).toContain('Does camera.snap.');
    expect(await page.locator('.diff .new').innerText()).toContain('Does more.');
    await press(page, 'Allow this');
    await toast(page, 'The command was allowed.');
    await page.locator('.diff').waitFor({ state: 'detached' });
    await press(page, 'Revoke…');
    await page.getByRole('dialog').getByText('2 commands with them').waitFor();
    await press(page.getByRole('dialog'), 'Revoke');
    await page.waitForURL((url) => url.pathname === '/console/nodes');
    expect((await filled.list('nodes')).map(({ id }) => id)).not.toContain('lamp');
  });
});

describe('a job', () => {
  it('[CO-08] is turned off with an undo, run, edited field by field, and deleted after a question', async () => {
    const id = await filled.addJob({ name: 'weekly' });
    const { page } = await open(`/cron/${id}`);
    await press(page, 'Turn off');
    await toast(page, 'The job is off.');
    expect(await read(`cron/jobs/${id}`)).toMatchObject({ enabled: false });
    await press(page, 'Undo');
    await page.getByRole('button', { name: 'Turn off' }).waitFor();
    expect(await read(`cron/jobs/${id}`)).toMatchObject({ enabled: true });
    await press(page, 'Edit');
    await page.getByLabel('Cron expression').fill('30 9 * * 1');
    const request = page.waitForRequest((each) => each.method() === 'PATCH');
    await press(page, 'Save');
    expect((await request).postDataJSON()).toEqual({ schedule: { cron: '30 9 * * 1', timezone: 'Europe/Paris' } });
    await page.locator('.facts').getByText('30 9 * * 1').waitFor();
    await press(page, 'Run now');
    await press(page, 'Run it now?');
    await page.locator('.strip span').waitFor();
    await press(page, 'Delete…');
    await press(page.getByRole('dialog'), 'Delete');
    await page.waitForURL((url) => url.pathname === '/console/cron');
    expect((await filled.admin.get(`cron/jobs/${id}`)).status).toBe(404);
  });
});

describe('a new job', () => {
  const openForm = async () => {
    const chat = await open('/cron', { timezoneId: 'Europe/Paris' });
    await press(chat.page, 'Make a job…');
    return { chat, page: chat.page, dialog: chat.page.getByRole('dialog') };
  };

  it('[CO-21] is made with a form that says what is wrong, and leads to it', async () => {
    const { chat, page, dialog } = await openForm();
    await dialog.getByLabel('Cron expression, such').fill('0 8 * *');
    await dialog.getByLabel('Channel, such').fill('test');
    await dialog.getByLabel('Person, by').fill('ann');
    await dialog.getByLabel('Name').fill('morning');
    await dialog.getByLabel('Message to the agent').fill('What is new?');
    expect(await findFaults(chat)).toEqual([]);
    await press(dialog, 'Make it');
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Cron expression, such').fill('0 8 * * 1-5');
    await press(dialog, 'Make it');
    await page.getByRole('heading', { name: 'morning' }).waitFor();
    await toast(page, 'The job was made.');
    const id = new URL(await addressOf(page)).pathname.split('/').at(-1);
    expect(await read(`cron/jobs/${id}`)).toMatchObject({
      schedule: { cron: '0 8 * * 1-5', timezone: 'Europe/Paris' },
      target: { channel: 'test', sender: 'ann' },
      ...{ message: 'What is new?', misfire: 'latest', overlap: 'skip', retries: 0 },
    });
  });

  it('[CO-21] is due at a distance, once or at an event, in a group or in a conversation of its own', async () => {
    const { page, dialog } = await openForm();
    const wishes: unknown[] = [];
    await page.route('**/admin/v1/cron/jobs', (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      wishes.push(route.request().postDataJSON());
      return route.fulfill({ status: 400, json: { detail: 'not now' } });
    });
    const make = async (when: string, where: string, fields: Readonly<Record<string, string>>) => {
      await dialog.getByLabel('When').selectOption(when);
      await dialog.getByLabel('Where').selectOption(where);
      for (const [name, text] of Object.entries(fields)) await dialog.locator(`[name=${name}]`).fill(text);
      await press(dialog, 'Make it');
    };
    const texts = { name: 'n', message: 'm' };
    await make('every', 'group', { every: '2', channel: 'test', group_id: 'g', ...texts });
    await expect.poll(() => wishes.length).toBe(1);
    await make('at', 'isolated', { at: '2030-01-02T08:30' });
    await expect.poll(() => wishes.length).toBe(2);
    await make('event', 'isolated', { event: 'door.opened', sender: 'ann' });
    await expect.poll(() => wishes.length).toBe(3);
    const timezone = 'Europe/Paris';
    const deliver_to = { channel: 'test' };
    expect(wishes).toEqual([
      { ...texts, schedule: { every_ms: 120_000, timezone }, target: { channel: 'test', group_id: 'g' } },
      { ...texts, schedule: { at: '2030-01-02T08:30', timezone }, target: { isolated: true, deliver_to } },
      {
        ...texts,
        schedule: { on_event: { event: 'door.opened' } },
        target: { isolated: true, deliver_to: { ...deliver_to, sender: 'ann' } },
      },
    ]);
  });
});

describe('tools', () => {
  it('[CO-08] are switched with an undo, and tried', async () => {
    const { page } = await open('/tools');
    const find = async () => (await filled.list('tools?limit=200')).find(({ name }) => name === 'time.now');
    await page.getByRole('link', { name: 'acme.pay' }).waitFor();
    await page.evaluate("document.querySelector('.rows').scrollTo(0, 1e6)");
    await page.getByRole('switch', { name: 'time.now is on' }).click();
    await toast(page, 'time.now is off: no agent may call it.');
    expect(await find()).toMatchObject({ enabled: false });
    await press(page, 'Undo');
    await eventually(async () => expect(await find()).toMatchObject({ enabled: true }));
    await page.goto(`${suite.gateway.url}/console/tools/time.now`);
    await page.getByLabel('Parameters, as JSON').fill('not JSON');
    await press(page, 'Call');
    await page.getByText('The parameters must be a JSON object.').waitFor();
    await page.getByLabel('Parameters, as JSON').fill('{}');
    await press(page, 'Call');
    await page.getByText(/"ok": true/).waitFor();
  });
});

describe('settings', () => {
  it('[CO-23] keep what both have typed when another person saves first, and ask for each key', async () => {
    const { page } = await open('/config/agent.name');
    const change = async (key: string, value: string) => {
      await page.goto(`${suite.gateway.url}/console/config/${key}`);
      await page.getByLabel('New value').fill(value);
      await press(page, 'Prepare');
    };
    await change('agent.name', 'mine');
    await page.getByRole('link', { name: 'log.level', exact: true }).click();
    await page.getByLabel('New value').fill('debug');
    await press(page, 'Prepare');
    const { version } = await read('config');
    await filled.admin.patch('config', { version: Number(version), changes: { 'agent.name': 'theirs' } });
    await page.getByText('Another person has saved first.').waitFor();
    const draft = page.getByRole('region', { name: 'Prepared changes' });
    expect(await draft.innerText()).toContain('theirs');
    expect(await draft.getByRole('button', { name: 'Save 2 changes' }).isDisabled()).toBe(true);
    await press(draft, 'Keep mine');
    const request = page.waitForRequest((each) => each.method() === 'PATCH');
    await press(draft, 'Save 2 changes');
    expect(((await request).postDataJSON() as { changes: object }).changes).toEqual({
      'agent.name': 'mine',
      'log.level': 'debug',
    });
    await toast(page, 'The settings were saved.');
    await page.getByRole('link', { name: 'History' }).click();
    await page.locator('.cards li').first().getByText('mine').waitFor();
  });

  it('[CO-23] never send a mask back: not of a secret, and not of one within a list', async () => {
    const { page } = await open('/config/auth.tokens');
    await page.getByLabel('New value').waitFor();
    await press(page, 'Prepare');
    await page.getByText('Write each secret in place of ***').waitFor();
    expect(await page.getByRole('region', { name: 'Prepared changes' }).count()).toBe(0);
    await page.goto(`${suite.gateway.url}/console/config/auth.token`);
    expect(await page.getByLabel('New value').inputValue()).not.toBe('***');
  });

  it('[CO-08] a version of the history comes back at the second press', async () => {
    const { version } = await read('config');
    await filled.admin.patch('config', { version: Number(version), changes: { 'agent.name': 'last' } });
    const { page } = await open('/config/history');
    await press(page, `Revert to ${Number(version)}`);
    await press(page, `Bring back version ${Number(version)}?`);
    await toast(page, `The settings of version ${Number(version)} are back.`);
    const settings = (await read('config'))['settings'] as readonly { key: string; value: unknown }[];
    expect(settings.find(({ key }) => key === 'agent.name')?.value).not.toBe('last');
  });
});

describe('tokens', () => {
  it('[CO-26] the secret is shown once, and the token has the rights that were chosen, until it is revoked', async () => {
    const { page } = await open('/tokens');
    await press(page, 'Make a token…');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/^Name/).fill('robot');
    await dialog.getByLabel('audit:read').check();
    await press(dialog, 'Make it');
    const secret = await dialog.locator('.secret').innerText();
    const me = await fetch(`${suite.gateway.url}/admin/v1/me`, { headers: { authorization: `Bearer ${secret}` } });
    expect(await me.json()).toMatchObject({ principal: 'robot', scopes: ['admin:read', 'audit:read'] });
    await press(dialog, 'Done');
    await page.locator('.secret').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(secret);
    await press(rowOf(page, 'robot'), 'Revoke…');
    await dialog.getByText('1 token of role operator with 2 scopes').waitFor();
    await press(dialog, 'Revoke');
    await toast(page, 'The token of robot is revoked.');
    const after = await fetch(`${suite.gateway.url}/admin/v1/me`, { headers: { authorization: `Bearer ${secret}` } });
    expect(after.status).toBe(401);
  });
});

describe('the audit', () => {
  it('[CO-06] has the chain on top, its filters in the address, a link for each row, and is exported', async () => {
    const { page } = await open('/audit?action=settings.change');
    await page.getByText('The chain is intact').waitFor();
    await page.locator('.chip').getByText('Action: settings.change').waitFor();
    await rowOf(page, 'settings.change').last().getByRole('link').click();
    await page.locator('.diff .new').first().waitFor();
    await page.reload();
    await page.locator('.diff .new').first().waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), press(page, 'Export')]);
    expect(file.suggestedFilename()).toBe('audit.jsonl');
  });
});

describe('the logs', () => {
  it('[CO-25] follow, pause when they are scrolled up, count what comes, and go on', async () => {
    const { page } = await open('/logs?subsystem=cron');
    const write = (from: number, to: number) => {
      for (let n = from; n < to; n++) filled.logs.for('cron').warn({ n }, `line ${n} of the tail`);
    };
    write(0, 100);
    await page.getByText('line 99 of the tail').waitFor();
    expect(await page.evaluate(FROM_END)).toBeLessThan(24);
    await page.evaluate("document.querySelector('.log').scrollTo(0, 0)");
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    write(100, 114);
    await page.getByRole('button', { name: 'Paused. 14 new lines' }).waitFor();
    expect(await page.getByText('line 113 of the tail').count()).toBe(0);
    await page.getByRole('button', { name: 'Paused' }).click();
    await page.getByText('line 113 of the tail').waitFor();
    await page.getByRole('button', { name: 'Paused' }).waitFor({ state: 'detached' });
    await page.getByText('line 113 of the tail').click();
    await page.getByText('"n": 113').waitFor();
  });

  it('[CO-08] the level of one subsystem is changed alone, with an undo', async () => {
    const { page } = await open('/logs');
    await page.getByText('Levels').click();
    const levels = async () => {
      const { settings } = (await read('config')) as unknown as { settings: { key: string; value: unknown }[] };
      return Object.fromEntries(
        settings.filter(({ key }) => key.startsWith('log.')).map(({ key, value }) => [key, value]),
      );
    };
    const before = await levels();
    await page.locator('console-log-levels').getByLabel('presence').selectOption('debug');
    await toast(page, 'presence logs debug.');
    expect(await levels()).toEqual({ ...before, 'log.presence': 'debug' });
    await press(page, 'Undo');
    await eventually(async () => expect(await levels()).toEqual(before));
  });
});

describe('what others write', () => {
  it('[X-14] shows what turns text around where a person decides and reads; Hebrew stays as it is', async () => {
    const call = { amount: 73, to: 'pay \u202e001 RUE ot \u05d0\u05d1' };
    const asked = await filled.ask(73, 'eve\u2066', call);
    const shown = 'pay ⟨U+202E⟩001 RUE ot אב';
    const { page } = await open('/approvals');
    const card = page.locator(`[data-id="${String(asked['approval_id'])}"]`);
    await card.locator('.arguments bdi').getByText(shown, { exact: true }).waitFor();
    await card.getByText('eve⟨U+2066⟩').first().waitFor();
    await card.getByText('As JSON').click();
    await card.locator('pre').getByText(shown).waitFor();
    await press(card, 'Deny');
    const { ref } = await filled.say('\u202eevil');
    await page.goto(`${suite.gateway.url}/console/messages/${ref}`);
    await page.getByText('⟨U+202E⟩evil', { exact: true }).waitFor();
    // What was decided on is what came, to the character.
    const denied = await filled.list('approvals?state=denied');
    expect(denied.find(({ approval_id: id }) => id === asked['approval_id'])?.['arguments']).toEqual(call);
  });

  it('[CO-10] is text on every page, and sticks out of none on a phone', async () => {
    const id = await filled.addJob({ name: `<b>${'y'.repeat(200)}`, message: HOSTILE, enabled: false });
    const { ref } = await filled.say(HOSTILE, '<i>mallory');
    filled.logs.for('agent').error({ text: HOSTILE }, '<script>alert(1)</script>');
    const { page } = await open('/logs?subsystem=agent', { viewport: { width: 390, height: 844 } });
    page.on('dialog', () => expect.unreachable());
    for (const [path, text] of [
      ['/logs?subsystem=agent', '<script>alert(1)</script>'],
      [`/messages/${ref}`, '<img src=x onerror=alert(1)>'],
      [`/cron/${id}`, '<img src=x onerror=alert(1)>'],
      ['/cron', '<b>yyy'],
    ] as const) {
      await page.goto(`${suite.gateway.url}/console${path}`);
      await page.getByText(text).first().waitFor();
      expect([path, await page.evaluate(SIDEWAYS)]).toEqual([path, []]);
      expect([path, await page.locator('.page :is(img, script, b, i)').count()]).toEqual([path, 0]);
    }
  });
});
