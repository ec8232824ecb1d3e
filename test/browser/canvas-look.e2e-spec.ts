import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../../src/testing/free-port.js';
import { useChat } from '../support/chat-page.js';
import { drawingAgent, FORM, surfaceOf } from '../support/drawing-agent.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { findBarriers, findBarriersInColours, SIDEWAYS } from '../support/page-checks.js';

const text = (id: string, of: string) => ({ id, component: 'Text', text: of });
/** One component of each kind. */
const ALL = [
  {
    id: 'root',
    component: 'Column',
    children: ['h', 'md', 'i', 'row', 'card', 'list', 'tabs', 'modal', 'line', 'out', 'fields'],
  },
  { id: 'h', component: 'Text', text: 'All of it', variant: 'h2' },
  text('md', 'With **bold** and a [link](https://example.org).\n\n- one\n- two'),
  { id: 'i', component: 'Icon', name: 'check' },
  { id: 'row', component: 'Row', children: ['r1', 'r2'] },
  text('r1', 'left'),
  text('r2', 'right'),
  { id: 'card', component: 'Card', child: 'c1' },
  text('c1', 'in a card'),
  { id: 'list', component: 'List', children: { componentId: 'item', path: '/items' } },
  { id: 'item', component: 'Text', text: { path: 'name' } },
  {
    id: 'tabs',
    component: 'Tabs',
    tabs: [
      { title: 'First', child: 't1' },
      { title: 'Second', child: 't2' },
    ],
  },
  text('t1', 'the first tab'),
  text('t2', 'the second tab'),
  { id: 'modal', component: 'Modal', trigger: 'open', content: 'inside' },
  { id: 'open', component: 'Button', child: 'openLabel', action: { event: { name: 'opened' } } },
  text('openLabel', 'More'),
  text('inside', 'in a dialog'),
  { id: 'line', component: 'Divider' },
  {
    id: 'out',
    component: 'Button',
    child: 'outLabel',
    action: { functionCall: { call: 'openUrl', args: { url: 'https://example.org/out' } } },
  },
  text('outLabel', 'Elsewhere'),
  { id: 'fields', component: 'Column', children: ['f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'send'] },
  {
    id: 'f1',
    component: 'TextField',
    label: 'Name',
    value: { path: '/name' },
    checks: [{ condition: { call: 'required', args: { value: { path: '/name' } } }, message: 'A name is needed' }],
  },
  { id: 'f2', component: 'TextField', label: 'Story', value: { path: '/story' }, variant: 'longText' },
  { id: 'f3', component: 'CheckBox', label: 'I agree', value: { path: '/agree' } },
  {
    id: 'f4',
    component: 'ChoicePicker',
    label: 'Colour',
    options: [
      { label: 'Red', value: 'r' },
      { label: 'Blue', value: 'b' },
    ],
    value: { path: '/colour' },
  },
  { id: 'f5', component: 'Slider', label: 'How many', min: 0, max: 10, value: { path: '/count' } },
  { id: 'f6', component: 'DateTimeInput', label: 'When', value: { path: '/when' }, enableDate: true, enableTime: true },
  { id: 'label', component: 'Text', text: 'Send it' },
  { id: 'send', component: 'Button', child: 'label', variant: 'primary', action: { event: { name: 'send' } } },
];
const DATA = {
  items: [{ name: 'apple' }, { name: 'pear' }],
  name: '',
  story: '',
  agree: false,
  colour: ['r'],
  count: 3,
  when: '',
};
const show = (components: readonly object[], data: object) => [
  { tool: 'canvas.show', parameters: { kind: 'a2ui', title: 'A form', messages: surfaceOf(components, data) } },
];
const update = (components: readonly object[], value?: unknown, path = '/') => ({
  tool: 'canvas.update',
  parameters: {
    surface_id: 's',
    messages: [
      ...(components.length > 0 ? [{ updateComponents: { surfaceId: 's', components } }] : []),
      ...(value === undefined ? [] : [{ updateDataModel: { surfaceId: 's', path, value } }]),
    ],
  },
});

const suite = useChat({
  agent: drawingAgent({
    all: show(ALL, DATA),
    form: show(FORM, { name: '' }),
    retitle: [update([{ id: 'title', component: 'Text', text: 'And now?', variant: 'h2' }])],
    fill: [update([], 'Grace', '/name')],
    close: [{ tool: 'canvas.close', parameters: { surface_id: 's' } }],
  }) as never,
  settings: { 'tools.default_permissions': ['canvas'] },
});
const WIDE = { viewport: { width: 1_440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

describe('a surface', () => {
  it('[Y-09] of every component has no barrier and nothing that sticks out, in each set of colours', async () => {
    const chat = await suite.open(WIDE);
    await chat.ask('all');
    const canvas = chat.page.locator('.canvas');
    await canvas.getByText('apple').waitFor();
    await canvas.getByText('bold', { exact: true }).waitFor();
    expect(await canvas.locator('svg').count()).toBeGreaterThan(1);
    const names = ['Name', 'Story', 'How many'];
    for (const name of names) await canvas.getByLabel(name, { exact: true }).waitFor();
    expect(await findBarriersInColours(chat)).toEqual([]);
    await chat.page.setViewportSize({ width: 320, height: 640 });
    expect(await chat.page.evaluate(SIDEWAYS)).toEqual([]);
    expect(await canvas.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(1);
  });

  it('[Y-09] has tabs and dialogs that keys reach: Escape closes a dialog first, then the surface', async () => {
    const chat = await suite.open(WIDE);
    await chat.ask('all');
    const canvas = chat.page.locator('.canvas');
    await canvas.getByRole('tab', { name: 'Second' }).press('Enter');
    await canvas.getByText('the second tab').waitFor();
    await canvas.getByRole('button', { name: 'More' }).press('Enter');
    await canvas.getByRole('dialog').getByText('in a dialog').waitFor();
    await chat.page.keyboard.press('Escape');
    await canvas.getByRole('dialog').waitFor({ state: 'detached' });
    await canvas.getByRole('button', { name: 'Elsewhere' }).press('Enter');
    await canvas.getByText('The page wants to open https://example.org/out').waitFor();
    await canvas.getByRole('button', { name: 'Stay here' }).press('Enter');
    await canvas.getByRole('tab', { name: 'Second' }).focus();
    await chat.page.keyboard.press('Escape');
    await canvas.waitFor({ state: 'detached' });
    expect(await chat.said.allInnerTexts()).toEqual(['all', 'More']);
  });

  it('[Y-09] lies over the conversation on a phone, opens by its button, and Back or Escape closes it', async () => {
    const chat = await suite.open(PHONE);
    await chat.waitForWelcome();
    await chat.page.getByRole('textbox', { name: 'Message' }).fill('form');
    await chat.page.getByRole('button', { name: 'Send', exact: true }).tap();
    await chat.waitForEnds(1);
    const canvas = chat.page.locator('.canvas');
    expect(await canvas.count()).toBe(0);
    const button = chat.replies.getByRole('button', { name: 'A form' });
    await button.press('Enter');
    await canvas.getByText('Who are you?').waitFor();
    expect(await chat.page.locator('main').getAttribute('inert')).not.toBeNull();
    expect(await findBarriers(chat)).toEqual([]);
    await chat.page.goBack();
    await canvas.waitFor({ state: 'detached' });
    await button.press('Enter');
    await canvas.getByRole('textbox').fill('Ada');
    await canvas.getByRole('textbox').press('Escape');
    await canvas.waitFor({ state: 'detached' });
    expect(await button.evaluate((element) => element.matches(':focus'))).toBe(true);
    await button.press('Enter');
    expect(await canvas.getByRole('textbox').inputValue()).toBe('Ada');
    await canvas.getByRole('button', { name: 'Send it' }).tap();
    await chat.page.locator('.reply').getByText('"context":{"name":"Ada"}').waitFor({ state: 'attached' });
  });

  it('[Y-10] keeps the field with the focus over changes of the agent, and takes what the agent changes elsewhere', async () => {
    const chat = await suite.open(WIDE);
    await chat.ask('form');
    const canvas = chat.page.locator('.canvas');
    const field = canvas.getByRole('textbox');
    await field.pressSequentially('Ad');
    await chat.page.evaluate("document.querySelector('chat-app').chat.send('retitle')");
    await canvas.getByText('And now?').waitFor();
    await field.pressSequentially('a');
    expect(await field.inputValue()).toBe('Ada');
    await chat.page.evaluate("document.querySelector('chat-app').chat.send('fill')");
    await chat.waitForEnds(3);
    expect(await field.inputValue()).toBe('Ada');
    await field.blur();
    await chat.ask('form', 4);
    await canvas.getByText('Who are you?').waitFor();
    expect(await field.inputValue()).toBe('');
  });

  it('[Y-10] that was closed says so, and one that froze the page is drawn only when the person asks', async () => {
    const chat = await suite.open(WIDE);
    await chat.ask('form');
    const canvas = chat.page.locator('.canvas');
    await canvas.getByText('Who are you?').waitFor();
    await chat.page.evaluate(`(() => {
      const { conversation } = document.querySelector('canvas-a2ui');
      sessionStorage.setItem('openclaw.webchat.drawing', conversation.sender + ' s 1');
    })()`);
    await chat.page.reload();
    await canvas.getByText('did not end').waitFor();
    await canvas.getByRole('button', { name: 'Draw again' }).click();
    await canvas.getByText('Who are you?').waitFor();
    await chat.ask('close', 2);
    await canvas.getByText('This surface is closed').waitFor();
  });
});

describe('a gateway that is killed while a surface is shown', () => {
  let folder: string;
  const processes: GatewayProcess[] = [];
  const start = async (port: number) => {
    const env = { OPENCLAW_GATEWAY_PORT: String(port), OPENCLAW_TOOLS_DEFAULT_PERMISSIONS: '["canvas"]' };
    const gateway = new GatewayProcess({ folder, env });
    processes.push(gateway);
    await gateway.port;
    return gateway;
  };
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'openclaw-canvas-'))));
  afterAll(async () => {
    await Promise.all(processes.map((gateway) => gateway.end()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('[Y-04] has it again, with what was typed, and what was pressed meanwhile arrives once', async () => {
    const port = await findFreePort();
    const gateway = await start(port);
    const chat = await suite.open(WIDE, `http://127.0.0.1:${port}`);
    // Loads what draws the answer to the action, which a gateway that is away could not serve.
    await chat.ask('hello');
    await chat.ask(
      `/tool canvas.show ${JSON.stringify({ kind: 'a2ui', title: 'A form', messages: surfaceOf(FORM, { name: '' }) })}`,
      2,
    );
    const canvas = chat.page.locator('.canvas');
    await canvas.getByRole('textbox').fill('Ada');
    gateway.kill();
    await chat.connection.getByText('reconnecting').waitFor();
    await canvas.getByRole('button', { name: 'Send it' }).dblclick();
    await canvas.getByText('Sending…').waitFor();
    await start(port);
    await chat.waitForEnds(3);
    expect((await chat.said.allInnerTexts()).slice(2)).toEqual(['Send it']);
    await canvas.getByText('Who are you?').waitFor();
    expect(await canvas.getByRole('textbox').inputValue()).toBe('Ada');
    await chat.page.reload();
    await chat.waitForEnds(3);
    expect((await chat.said.allInnerTexts()).slice(2)).toEqual(['Send it']);
  });
});
