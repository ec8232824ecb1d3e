import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat-page.js';
import { drawingAgent, FORM, surfaceOf } from '../support/drawing-agent.js';

const suite = useChat({
  agent: drawingAgent({
    form: [{ tool: 'canvas.show', parameters: { kind: 'a2ui', title: 'A form', messages: surfaceOf(FORM) } }],
    read: [{ tool: 'canvas.read', parameters: {} }],
    gone: [
      {
        tool: 'canvas.show',
        parameters: {
          kind: 'a2ui',
          messages: surfaceOf([
            { id: 'root', component: 'Column', children: ['here', 'nowhere'] },
            { id: 'here', component: 'Text', text: 'I am here' },
          ]),
        },
      },
    ],
  }) as never,
  settings: { 'tools.default_permissions': ['canvas'] },
});

describe('a surface of A2UI', () => {
  it('[Y-01] is shown beside the conversation, and a press on it becomes one message with what was entered', async () => {
    const chat = await suite.open({ viewport: { width: 1_440, height: 900 } });
    await chat.ask('form');
    const canvas = chat.page.locator('.canvas');
    await canvas.getByRole('heading', { name: 'A form' }).waitFor();
    await canvas.getByRole('textbox').fill('Ada');
    await canvas.getByRole('button', { name: 'Send it' }).dblclick();
    await chat.page
      .locator('.reply')
      .getByText('action {"surface_id":"s","version":1,"action":"send","context":{"name":"Ada"}}')
      .waitFor();
    expect(await chat.page.locator('.said').getByText('Send it').count()).toBe(1);
    await chat.page.reload();
    await canvas.getByText('Who are you?').waitFor();
    expect(await canvas.getByRole('textbox').inputValue()).toBe('Ada');
    await chat.ask('read', 3);
    await chat.page.locator('.reply p').getByText('"entered":{"data":{"name":"Ada"},"version":1').waitFor();
  });

  it('[Y-02] that refers to what is not there shows the rest, and the agent gets a warning', async () => {
    const chat = await suite.open({ viewport: { width: 1_440, height: 900 } });
    await chat.ask('gone');
    await chat.page.locator('.canvas').getByText('I am here').waitFor();
    await chat.page.locator('.reply p').getByText('children/1 of root names').waitFor();
  });
});
