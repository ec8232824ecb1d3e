import { finished, type Readable } from 'node:stream';
import { asFields, parseJson, type Fields } from './fields.js';

/** The longest event of a stream, in UTF-16 units. */
const MAX_EVENT_LENGTH = 16_777_216;
const LINE_END = /\r\n|\n|\r(?!$)/;

/** Corrects the events of one response. It has the state of the response, so each response gets its own. */
export interface EventCorrector {
  /**
   * Returns what takes the place of an event: for one that needs no correction the event itself, which then stays as it
   * came. Events that are not JSON never arrive here.
   */
  take(event: Fields, name: string | undefined): readonly Fields[];
  /** Returns what is missing at the end. @param isDone whether the server said that it has finished (`[DONE]`) */
  end(isDone: boolean): readonly Fields[];
}

/**
 * Returns the body of a successful response with its events corrected before pi and its SDKs see them. Those expect a
 * well-behaved server: one event that is not JSON ends the stream, and the last event is lost when no empty line follows it.
 * @param type the media type of the response
 * @param onBytes called for each portion of the body
 */
export function correctEvents(
  body: Readable,
  type: string,
  corrector: EventCorrector,
  onBytes: () => void,
): ReadableStream<Uint8Array> {
  const events = type.includes('application/json') ? new WholeBody(corrector) : new EventStream(corrector);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  // Made of the body in one step: each web stream that the events pass costs promises for each of them.
  return new ReadableStream({
    start(controller) {
      const send = (text: string) => {
        if (text !== '') controller.enqueue(encoder.encode(text));
      };
      body.on('data', (chunk: Buffer) => {
        try {
          onBytes();
          send(events.push(decoder.decode(chunk, { stream: true })));
          if ((controller.desiredSize ?? 0) <= 0) body.pause();
        } catch (error) {
          controller.error(error);
          body.destroy();
        }
      });
      finished(body, (error) => {
        if (error) return controller.error(error);
        send(events.push(decoder.decode()) + events.end());
        controller.close();
      });
    },
    pull() {
      body.resume();
    },
    cancel() {
      body.destroy();
    },
  });
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
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
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
    const corrected = isError(event, name) ? [event] : this.corrector.take(event, name);
    const isUnchanged = corrected.length === 1 && corrected[0] === event && !data.includes('\n');
    return isUnchanged ? writeOne(event, data, name) : write(corrected, name);
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
  return events.map((event) => writeOne(event, JSON.stringify(event), name)).join('');
}

/** @param data the event as JSON in one line */
function writeOne(event: Fields, data: string, name: string | undefined): string {
  const type = typeof event['type'] === 'string' ? event['type'] : name;
  return `${type === undefined ? '' : `event: ${type}\n`}data: ${data}\n\n`;
}
