import { Global, Module, type DynamicModule } from '@nestjs/common';
import {
  AgentRuntime,
  type AgentEvent,
  type AgentTurn,
  type RequestedCall,
} from '../../src/core/turns/agent-runtime.js';

/** The catalogue of A2UI that surfaces name. */
const CATALOG = 'https://a2ui.org/specification/v0_9/catalogs/basic/catalog.json';

/** Returns the messages of a surface with these components and this data. */
export function surfaceOf(components: readonly object[], data: unknown = {}, surfaceId = 's'): readonly object[] {
  return [
    { createSurface: { surfaceId, catalogId: CATALOG } },
    { updateComponents: { surfaceId, components } },
    { updateDataModel: { surfaceId, path: '/', value: data } },
  ];
}

/** A form with a name and a button; its action brings the name along. */
export const FORM = [
  { id: 'root', component: 'Column', children: ['title', 'name', 'send'] },
  { id: 'title', component: 'Text', text: 'Who are you?', variant: 'h2' },
  { id: 'name', component: 'TextField', label: 'Name', value: { path: '/name' } },
  { id: 'label', component: 'Text', text: 'Send it' },
  {
    id: 'send',
    component: 'Button',
    child: 'label',
    variant: 'primary',
    action: { event: { name: 'send', context: { name: { path: '/name' } } } },
  },
] as const;

/**
 * Returns a module with an agent that calls the tools of a plan: the plan is named by the text of the message. It answers an
 * action on a surface with the action, and a plan with the outcomes of its calls.
 */
export function drawingAgent(plans: Readonly<Record<string, readonly RequestedCall[]>>): DynamicModule {
  class DrawingRuntime extends AgentRuntime {
    override readonly name = 'drawing';

    override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
      const { content, metadata } = turn.message.payload;
      const toolCalls = plans[content] ?? [];
      if (!turn.recordedAnswer(0)) yield { type: 'answer', answer: { toolCalls } };
      const outcomes: unknown[] = [];
      for (const [i, call] of toolCalls.entries()) {
        const outcome = await turn.callTool(0, i, call);
        outcomes.push(outcome.ok ? outcome.content : outcome.message);
      }
      const canvas = metadata?.['canvas'];
      const said = canvas === undefined ? JSON.stringify(outcomes) : `action ${JSON.stringify(canvas)}`;
      yield { type: 'piece', piece: { blockType: 'text', text: said, ends: true } };
      yield { type: 'answer', answer: { toolCalls: [] }, isLast: true };
    }
  }
  class DrawingAgentModule {}
  Global()(DrawingAgentModule);
  Module({ providers: [{ provide: AgentRuntime, useClass: DrawingRuntime }], exports: [AgentRuntime] })(
    DrawingAgentModule,
  );
  return { module: DrawingAgentModule };
}
