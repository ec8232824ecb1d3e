import { randomUUID } from 'node:crypto';
import { argumentsOf, asFields, asWord, isWholeObject, type Fields } from './fields.js';

/** A tool call that an answer has begun. */
interface Call {
  readonly index: number;
  /** The index and the id that the server gave. */
  readonly sentIndex: number | undefined;
  readonly sentId: string | undefined;
  readonly id: string;
  name: string;
  text: string;
}

interface Fragment {
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly text: string;
}

/**
 * Separates the tool calls of one answer. Servers omit the index or the id, repeat it for another call or change it within
 * one; a call begins with its name. Each call gets a unique index and a unique id.
 */
export class ChatCalls {
  private readonly calls: Call[] = [];

  get count(): number {
    return this.calls.length;
  }

  /** Returns the fragment as the chat wire has it; undefined for a repetition. */
  take(value: unknown): Fields | undefined {
    const fragment = read(value);
    if (!fragment) return undefined;
    const known = this.find(fragment);
    if (known === 'repeated') return undefined;
    if (!known) return this.begin(fragment);
    const isNamed = known.name === '' && fragment.name !== undefined;
    if (isNamed) known.name = fragment.name ?? '';
    known.text += fragment.text;
    return toDelta(known, fragment.text, isNamed);
  }

  /** Returns the call that a fragment continues; undefined when it begins one. */
  private find(fragment: Fragment): Call | 'repeated' | undefined {
    const { name } = fragment;
    const named = this.findNamed(fragment);
    if (name === undefined) return named ?? this.findById(fragment.id) ?? this.calls.at(-1);
    if (!named || named.name === '') return named;
    if (name !== named.name || differ(fragment.id, named.sentId)) return undefined;
    if (fragment.text === '' || !isWholeObject(named.text)) return named;
    return fragment.id !== undefined && fragment.text === named.text ? 'repeated' : undefined;
  }

  /** Returns the call that a fragment's index names, or else its id; the last one when it has neither. */
  private findNamed({ index, id }: Fragment): Call | undefined {
    if (index !== undefined) return this.calls.findLast((call) => call.sentIndex === index);
    return id === undefined ? this.calls.at(-1) : this.findById(id);
  }

  private findById(id: string | undefined): Call | undefined {
    return id === undefined ? undefined : this.calls.findLast((call) => call.sentId === id);
  }

  private begin({ index, id, name = '', text }: Fragment): Fields {
    const isFree = id !== undefined && !this.calls.some((call) => call.id === id);
    const call: Call = {
      index: this.calls.length,
      sentIndex: index,
      sentId: id,
      id: isFree ? id : `call_${randomUUID()}`,
      name,
      text,
    };
    this.calls.push(call);
    return toDelta(call, text, true);
  }
}

function differ(id: string | undefined, other: string | undefined): boolean {
  return id !== undefined && other !== undefined && id !== other;
}

function read(value: unknown): Fragment | undefined {
  const call = asFields(value);
  if (!call) return undefined;
  const called = asFields(call['function']) ?? call;
  const { index } = call;
  return {
    index: typeof index === 'number' ? index : undefined,
    id: asWord(call['id']),
    name: asWord(called['name']),
    text: argumentsOf(called['arguments']),
  };
}

function toDelta({ index, id, name }: Call, text: string, isNamed: boolean): Fields {
  return {
    index,
    ...(isNamed ? { id, type: 'function' } : {}),
    function: { ...(isNamed ? { name } : {}), arguments: text },
  };
}
