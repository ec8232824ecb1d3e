import { asFields, parseJson, type Fields } from './fields.js';

/** The longest event of a stream, in UTF-16 units. */
const MAX_EVENT_LENGTH = 16_777_216;
const LINE_END = /\r\n|\n|\r(?!$)/;

/** Corrects the events of one response. It has the state of the response, so each response gets its own. */
export interface EventCorrector {
  /** Returns what takes the place of an event. Events that are not JSON never arrive here. */
  take(event: Fields, name: string | undefined): readonly Fields[];
  /** Returns what is missing at the end. @param isDone whether the server said that it has finished (`[DONE]`) */
  end(isDone: boolean): readonly Fields[];
}

/**
 * Returns a response whose events are corrected before pi and its SDKs see them. Those expect a well-behaved server:
 * one event that is not JSON ends the stream, and the last event is lost when no empty line follows it.
 * @param onBytes called for each portion of the body
 */
export function correctEvents(response: Response, corrector: EventCorrector, onBytes: () => void): Response {
  const { body, status, headers } = response;
  const type = headers.get('content-type') ?? '';
  if (!body || !response.ok) return response;
  const events = type.includes('application/json') ? new WholeBody(corrector) : new EventStream(corrector);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const corrected = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        onBytes();
        const text = events.push(decoder.decode(chunk, { stream: true }));
        if (text !== '') controller.enqueue(encoder.encode(text));
      },
      flush(controller) {
        controller.enqueue(encoder.encode(events.push(decoder.decode()) + events.end()));
      },
    }),
  );
  const corrections = new Headers(headers);
  corrections.set('content-type', 'text/event-stream');
  return new Response(corrected, { status, headers: corrections });
}

/** A stream of server-sent events (WHATWG HTML, section 9.2). */
class EventStream {
  private rest = '';
  private name: string | undefined;
  private data: string[] = [];
  private length = 0;
  private isDone = false;

  constructor(private readonly corrector: EventCorrector) {}

  /** Returns the corrected events that `text` completes. */
  push(text: string): string {
    const lines = (this.rest + text).split(LINE_END);
    this.rest = lines.pop() ?? '';
    if (this.rest.length + this.length > MAX_EVENT_LENGTH) throw new Error('an event of the stream is too long');
    return lines.map((line) => this.takeLine(line)).join('');
  }

  end(): string {
    const last = this.takeLine(this.rest.replace(/\r$/, '')) + this.takeLine('');
    return last + write(this.corrector.end(this.isDone)) + (this.isDone ? 'data: [DONE]\n\n' : '');
  }

  private takeLine(line: string): string {
    if (line === '') return this.dispatch();
    const [, field, value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'event') this.name = value;
    if (field === 'data') {
      this.data.push(value);
      this.length += value.length;
    }
    return '';
  }

  private dispatch(): string {
    const data = this.data.join('\n');
    const { name } = this;
    this.name = undefined;
    this.data = [];
    this.length = 0;
    // What comes after the end is not part of the answer.
    if (this.isDone) return '';
    if (data.trimStart().startsWith('[DONE]')) {
      this.isDone = true;
      return '';
    }
    const event = asFields(parseJson(data));
    if (!event) return '';
    return write(isError(event, name) ? [event] : this.corrector.take(event, name), name);
  }
}

/** The body of a server that does not stream: one object. */
class WholeBody {
  private text = '';

  constructor(private readonly corrector: EventCorrector) {}

  push(text: string): string {
    this.text += text;
    if (this.text.length > MAX_EVENT_LENGTH) throw new Error('the body is too long');
    return '';
  }

  end(): string {
    const event = asFields(parseJson(this.text));
    if (!event) {
      const events = new EventStream(this.corrector);
      return events.push(this.text) + events.end();
    }
    if (isError(event, undefined)) return write([event]);
    return `${write([...this.corrector.take(event, undefined), ...this.corrector.end(true)])}data: [DONE]\n\n`;
  }
}

function isError(event: Fields, name: string | undefined): boolean {
  return name === 'error' || event['type'] === 'error' || (event['error'] !== undefined && event['error'] !== null);
}

function write(events: readonly Fields[], name?: string): string {
  return events
    .map((event) => {
      const type = typeof event['type'] === 'string' ? event['type'] : name;
      return `${type === undefined ? '' : `event: ${type}\n`}data: ${JSON.stringify(event)}\n\n`;
    })
    .join('');
}
