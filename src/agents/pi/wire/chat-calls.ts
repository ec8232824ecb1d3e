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
 * Tells the tool calls of one answer apart. Of index and id a server may leave out either, repeat it for another call or
 * change it within one; a call begins with its name. Each call leaves with an index and an id of its own.
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
  private find({ index, id, name, text }: Fragment): Call | 'repeated' | undefined {
    const last = this.calls.at(-1);
    const byId = id === undefined ? undefined : this.calls.findLast((call) => call.sentId === id);
    const byIndex = index === undefined ? undefined : this.calls.findLast((call) => call.sentIndex === index);
    const known = index !== undefined ? byIndex : id !== undefined ? byId : last;
    if (name === undefined) return known ?? byId ?? last;
    if (!known || known.name === '') return known;
    const isOther = (id !== undefined && known.sentId !== undefined && id !== known.sentId) || name !== known.name;
    if (isOther) return undefined;
    if (text === '' || !isWholeObject(known.text)) return known;
    return id !== undefined && text === known.text ? 'repeated' : undefined;
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
