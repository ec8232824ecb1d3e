import { randomUUID } from 'node:crypto';
import { argumentsOf, asFields, asList, asWord, textOf, type Fields } from './fields.js';
import type { EventCorrector } from './sse.js';
import { readStopWord } from './stop-words.js';

interface Item {
  /** The text or the arguments received so far. */
  sent: string;
  isDone: boolean;
}

const ITEM_DONE = 'response.output_item.done';
const TEXT_DELTAS = new Set(['response.output_text.delta', 'response.refusal.delta']);

/** Corrects the events of the responses wire (`openai-responses`). */
export class ResponsesCorrector implements EventCorrector {
  private readonly items = new Map<number, Item>();
  private readonly indexOfId = new Map<string, number>();
  private hasEnded = false;

  take(event: Fields, name: string | undefined): readonly Fields[] {
    const type = asWord(event['type']) ?? name;
    if (event['object'] === 'response') return this.finish({ type: 'response.completed', response: event });
    switch (type) {
      case 'response.output_item.added':
        return this.add(this.indexOf(event), asFields(event['item']) ?? {});
      case ITEM_DONE:
        return this.finishItem(this.indexOf(event), asFields(event['item']) ?? {});
      case 'response.output_text.delta':
      case 'response.refusal.delta':
      case 'response.function_call_arguments.delta':
        return this.addDelta(type, event);
      case 'response.function_call_arguments.done':
        return [{ ...event, type, output_index: this.indexOf(event), arguments: argumentsOf(event['arguments']) }];
      case 'response.completed':
      case 'response.incomplete':
        return this.finish({ ...event, type });
      default:
        return [{ ...event, ...(type === undefined ? {} : { type }) }];
    }
  }

  /** An answer whose items have all ended is complete, also when the server forgets to say so. */
  end(): readonly Fields[] {
    const items = Array.from(this.items.values());
    if (this.hasEnded || items.length === 0 || !items.every(({ isDone }) => isDone)) return [];
    return [{ type: 'response.completed', response: { status: 'completed', output: [] } }];
  }

  private add(index: number, item: Fields): readonly Fields[] {
    this.items.set(index, { sent: '', isDone: false });
    const id = asWord(item['id']);
    if (id !== undefined) this.indexOfId.set(id, index);
    // Text and arguments that come with the start come with the end as well.
    const { content: _, ...rest } = correctItem(item, index);
    const added = item['type'] === 'function_call' ? { ...rest, arguments: '' } : rest;
    return [{ type: 'response.output_item.added', output_index: index, item: added }];
  }

  private addDelta(type: string, event: Fields): readonly Fields[] {
    const index = this.indexOf(event);
    const isText = TEXT_DELTAS.has(type);
    const begun = isText && !this.items.has(index) ? this.add(index, { type: 'message' }) : [];
    const item = this.items.get(index);
    const delta = isText ? textOf(event['delta']) : argumentsOf(event['delta']);
    if (item) item.sent += delta;
    const isWhole = event['type'] === type && event['output_index'] === index && event['delta'] === delta;
    if (item && isWhole && begun.length === 0) return [event];
    return [...begun, { ...event, type, output_index: index, delta }];
  }

  /** The complete item counts, also if no delta of it has arrived. */
  private finishItem(index: number, item: Fields): readonly Fields[] {
    const known = this.items.get(index);
    if (known?.isDone) return [];
    const added = known ? [] : this.add(index, item);
    const sent = known?.sent ?? '';
    this.items.set(index, { sent, isDone: true });
    const whole = correctItem(item, index);
    const output = { output_index: index };
    if (whole['type'] === 'message') {
      const text = textOf(whole['content']) || sent;
      const missing = sent === '' ? [{ type: 'response.output_text.delta', ...output, delta: text }] : [];
      const content = [{ type: 'output_text', text }];
      return [...added, ...missing, { type: ITEM_DONE, ...output, item: { ...whole, content } }];
    }
    const missing =
      whole['type'] === 'function_call' && sent === ''
        ? [{ type: 'response.function_call_arguments.delta', ...output, delta: whole['arguments'] }]
        : [];
    return [...added, ...missing, { type: ITEM_DONE, ...output, item: whole }];
  }

  private finish(event: Fields): readonly Fields[] {
    this.hasEnded = true;
    const response = asFields(event['response']) ?? {};
    const output = asList(response['output']);
    const missing = output.flatMap((item, index) => this.finishItem(index, asFields(item) ?? {}));
    return [...missing, { ...event, response: { ...response, output, ...this.correctStatus(response) } }];
  }

  /** A status that means neither refusal nor failure ends an answer that has begun, whatever its word. */
  private correctStatus({ status, incomplete_details }: Fields): Fields {
    const word = asWord(status) ?? 'completed';
    if (word !== 'incomplete') return { status: readStopWord(word) === 'failure' ? word : 'completed' };
    const kind = readStopWord(asWord(asFields(incomplete_details)?.['reason']) ?? '');
    if (kind === 'refusal' || kind === 'failure' || this.items.size === 0) return {};
    return { incomplete_details: { reason: 'max_output_tokens' } };
  }

  private indexOf(event: Fields): number {
    const { output_index, item_id } = event;
    if (typeof output_index === 'number') return output_index;
    const id = asWord(item_id) ?? asWord(asFields(event['item'])?.['id']);
    const known = id === undefined ? undefined : this.indexOfId.get(id);
    return known ?? (event['item'] === undefined ? Math.max(0, this.items.size - 1) : this.items.size);
  }
}

function correctItem(item: Fields, index: number): Fields {
  const type = asWord(item['type']) ?? 'message';
  if (type !== 'function_call') return { ...item, type };
  const callId = asWord(item['call_id']) ?? asWord(item['id']) ?? `call_${randomUUID()}`;
  return {
    ...item,
    type,
    call_id: callId,
    id: asWord(item['id']) ?? `fc_${index}`,
    name: asWord(item['name']) ?? '',
    arguments: argumentsOf(item['arguments']),
  };
}
