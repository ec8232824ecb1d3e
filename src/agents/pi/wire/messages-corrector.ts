import { randomUUID } from 'node:crypto';
import { argumentsOf, asFields, asList, asWord, textOf, type Fields } from './fields.js';
import type { EventCorrector } from './sse.js';
import { readStopWord, type StopKind } from './stop-words.js';

const STOP_REASONS: Readonly<Record<Exclude<StopKind, 'failure'>, string>> = {
  end: 'end_turn',
  length: 'max_tokens',
  tools: 'tool_use',
  refusal: 'refusal',
};
/** Reasons that pi knows. */
const KNOWN_REASONS = new Set([
  'end_turn',
  'max_tokens',
  'tool_use',
  'refusal',
  'pause_turn',
  'stop_sequence',
  'sensitive',
]);

interface OpenBlock {
  readonly type: string;
  /** A tool's input that came with the start of its block; a delta takes its place. */
  input: string;
}

/** Corrects the events of the messages wire (`anthropic-messages`). */
export class MessagesCorrector implements EventCorrector {
  private readonly open = new Map<number, OpenBlock>();
  private readonly ids = new Set<string>();
  private blocks = 0;
  private lastIndex = -1;
  private hasCalls = false;
  private hasReason = false;
  private hasStopped = false;

  take(event: Fields, name: string | undefined): readonly Fields[] {
    const type = asWord(event['type']) ?? name;
    switch (type) {
      case 'message':
        return this.takeWhole(event);
      case 'message_start':
        return [startOf(asFields(event['message']) ?? {})];
      case 'content_block_start':
        return this.start(event);
      case 'content_block_delta':
        return this.addDelta(event);
      case 'content_block_stop':
        return this.stop(this.indexOf(event));
      case 'message_delta':
        return this.delta(event);
      case 'message_stop':
        this.hasStopped = true;
        return [...this.stopAll(), ...this.reason(), { type }];
      default:
        return [{ ...event, ...(type === undefined ? {} : { type }) }];
    }
  }

  /** An answer whose blocks have all ended is complete, also when the server forgets to say so. */
  end(isDone: boolean): readonly Fields[] {
    const isWhole = this.hasReason || (this.blocks > 0 && (isDone || this.open.size === 0));
    if (this.hasStopped || !isWhole) return [];
    return this.take({ type: 'message_stop' }, undefined);
  }

  private takeWhole(message: Fields): readonly Fields[] {
    const { content, stop_reason, usage, ...head } = message;
    const blocks = asList(content).flatMap((block, index) => [
      ...this.start({ index, content_block: block }),
      ...this.stop(index),
    ]);
    return [startOf({ ...head, usage }), ...blocks, ...this.delta({ delta: { stop_reason }, usage })];
  }

  private start(event: Fields): readonly Fields[] {
    const block = asFields(event['content_block']) ?? {};
    const type = asWord(block['type']) ?? 'text';
    const index = typeof event['index'] === 'number' ? event['index'] : this.lastIndex + 1;
    this.lastIndex = index;
    this.blocks++;
    this.open.set(index, { type, input: type === 'tool_use' ? inputOf(block['input']) : '' });
    const start = { type: 'content_block_start', index };
    if (type === 'text') {
      const text = textOf(block);
      return [
        { ...start, content_block: { ...block, type, text: '' } },
        ...(text === '' ? [] : [deltaOf(index, { type: 'text_delta', text })]),
      ];
    }
    if (type !== 'tool_use') return [{ ...start, content_block: block }];
    this.hasCalls = true;
    const id = asWord(block['id']);
    const ownId = id !== undefined && !this.ids.has(id) ? id : `toolu_${randomUUID().replaceAll('-', '')}`;
    this.ids.add(ownId);
    return [{ ...start, content_block: { type, id: ownId, name: asWord(block['name']) ?? '', input: {} } }];
  }

  private addDelta(event: Fields): readonly Fields[] {
    const index = this.indexOf(event);
    const delta = asFields(event['delta']) ?? {};
    const type = asWord(delta['type']) ?? ('partial_json' in delta ? 'input_json_delta' : 'text_delta');
    const isWhole = event['type'] !== undefined && event['index'] === index && delta['type'] === 'text_delta';
    if (isWhole && this.open.has(index) && typeof delta['text'] === 'string') return [event];
    const begun = !this.open.has(index) && type === 'text_delta' ? this.start({ index }) : [];
    if (type === 'text_delta') return [...begun, deltaOf(index, { type, text: textOf(delta['text']) })];
    if (type !== 'input_json_delta') return [deltaOf(index, { ...delta, type })];
    const json = argumentsOf(delta['partial_json']);
    const block = this.open.get(index);
    if (block && json !== '') block.input = '';
    return [deltaOf(index, { type, partial_json: json })];
  }

  private stop(index: number): readonly Fields[] {
    const block = this.open.get(index);
    if (!block) return [];
    this.open.delete(index);
    const input = block.input === '' ? [] : [deltaOf(index, { type: 'input_json_delta', partial_json: block.input })];
    return [...input, { type: 'content_block_stop', index }];
  }

  private stopAll(): readonly Fields[] {
    return Array.from(this.open.keys()).flatMap((index) => this.stop(index));
  }

  private delta(event: Fields): readonly Fields[] {
    const delta = asFields(event['delta']) ?? {};
    const reason = asWord(delta['stop_reason']);
    const usage = asFields(event['usage']);
    const corrected = {
      type: 'message_delta',
      delta: { ...delta, stop_reason: reason === undefined ? null : this.correctReason(reason) },
      ...(usage && { usage }),
    };
    if (reason === undefined) return [corrected];
    this.hasReason = true;
    return [...this.stopAll(), corrected];
  }

  private reason(): readonly Fields[] {
    if (this.hasReason || this.blocks === 0) return [];
    return this.delta({ delta: { stop_reason: this.hasCalls ? 'tool_use' : 'end_turn' } });
  }

  /** A reason that means neither refusal nor failure ends an answer that has begun, whatever its word. */
  private correctReason(reason: string): string {
    if (KNOWN_REASONS.has(reason)) return reason;
    const kind = readStopWord(reason);
    return kind === 'failure' || (kind !== 'refusal' && this.blocks === 0) ? reason : STOP_REASONS[kind];
  }

  private indexOf(event: Fields): number {
    return typeof event['index'] === 'number' ? event['index'] : Math.max(0, this.lastIndex);
  }
}

function startOf(message: Fields): Fields {
  return { type: 'message_start', message: { ...message, content: [], usage: asFields(message['usage']) ?? {} } };
}

function deltaOf(index: number, delta: Fields): Fields {
  return { type: 'content_block_delta', index, delta };
}

/** Returns a tool's input as JSON text; the empty one stands for "it follows". */
function inputOf(input: unknown): string {
  const text = argumentsOf(input);
  return text === '{}' ? '' : text;
}
