import type { AssistantMessage, ImageContent, Message, ToolCall, ToolResultMessage } from '@earendil-works/pi-ai';
import type { StreamBlock } from '../../protocol/index.js';
import type { ToolOutcome } from '../../core/tools/tool.js';
import type { Provider } from './providers.js';
import type { ToolNames } from '../../core/tools/tool-names.js';

/** The model in whose name earlier answers are sent: the one that is asked. */
export interface Voice {
  readonly api: Provider['api'];
  readonly provider: string;
  readonly id: string;
}

/**
 * Returns an earlier reply as messages of the model, made of its blocks: text, calls, results. Status blocks come
 * from the gateway and are left out.
 */
export function renderReply(blocks: readonly StreamBlock[], voice: Voice, names: ToolNames): Message[] {
  const messages: Message[] = [];
  let content: AssistantMessage['content'] = [];
  const close = () => {
    if (content.length > 0) messages.push(sayAs(voice, content));
    content = [];
  };
  const tools = new Map<string, string>();
  for (const block of blocks) {
    switch (block.block_type) {
      case 'text':
      case 'markdown':
      case 'code':
        if (block.content.trim() !== '') addText(content, block.block_type === 'code' ? fence(block) : block.content);
        break;
      case 'tool_call': {
        const { call_id, tool, parameters } = JSON.parse(block.content) as {
          call_id: string;
          tool: string;
          parameters: unknown;
        };
        tools.set(call_id, tool);
        content.push(toToolCall(call_id, names.encode(tool), parameters));
        break;
      }
      case 'tool_result': {
        close();
        const {
          call_id,
          ok,
          content: result,
        } = JSON.parse(block.content) as { call_id: string; ok: boolean; content: unknown };
        messages.push(toToolResult(call_id, names.encode(tools.get(call_id) ?? ''), toText(result), !ok));
        break;
      }
      default:
        break;
    }
  }
  close();
  return messages;
}

/** Returns the result of a call as the model gets it. @param images those that it shows, if the model takes any */
export function renderOutcome(
  callId: string,
  wireName: string,
  outcome: ToolOutcome,
  images: readonly ImageContent[] = [],
): ToolResultMessage {
  const text = outcome.ok ? toText(outcome.content) : toText({ code: outcome.code, message: outcome.message });
  const message = toToolResult(callId, wireName, text, !outcome.ok);
  return images.length === 0 ? message : { ...message, content: [...message.content, ...images] };
}

/** Returns an answer of the model with this content. */
export function sayAs({ api, provider, id }: Voice, content: AssistantMessage['content']): AssistantMessage {
  const usage = {
    input: 0,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
    totalTokens: 0,
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 },
  };
  const stopReason = content.some((part) => part.type === 'toolCall') ? 'toolUse' : 'stop';
  return { role: 'assistant', content, api, provider, model: id, usage, stopReason, timestamp: 0 };
}

/** Returns a call whose arguments are an object, as providers require, whatever the model sent. */
export function toToolCall(id: string, name: string, parameters: unknown): ToolCall {
  const isObject = typeof parameters === 'object' && parameters !== null && !Array.isArray(parameters);
  return { type: 'toolCall', id, name, arguments: isObject ? (parameters as ToolCall['arguments']) : {} };
}

function toToolResult(toolCallId: string, toolName: string, text: string, isError: boolean): ToolResultMessage {
  return { role: 'toolResult', toolCallId, toolName, content: [{ type: 'text', text }], isError, timestamp: 0 };
}

function toText(result: unknown): string {
  return typeof result === 'string' ? result : JSON.stringify(result);
}

function fence({ content, metadata }: StreamBlock): string {
  const language = typeof metadata?.['language'] === 'string' ? metadata['language'] : '';
  const longest = Math.max(2, ...Array.from(content.matchAll(/`+/g), ([ticks]) => ticks.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}${language}\n${content}\n${ticks}`;
}

function addText(content: AssistantMessage['content'], text: string): void {
  const last = content.at(-1);
  if (last?.type === 'text') last.text += `\n\n${text}`;
  else content.push({ type: 'text', text });
}
