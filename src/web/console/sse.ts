/** An event of a stream (Server-Sent Events). */
export interface ServerEvent {
  /** Undefined for an event that is not part of the stream: it does not move the position. */
  readonly id: string | undefined;
  readonly kind: string;
  readonly data: string;
}

/** Reads the text of a stream of Server-Sent Events, in pieces that may end anywhere. */
export class ServerEventReader {
  #rest = '';
  #id: string | undefined;
  #kind = '';
  #data: string[] = [];

  /** Returns the events that end in a piece. */
  read(piece: string): ServerEvent[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#take(line));
  }

  #take(line: string): ServerEvent[] {
    if (line === '') return this.#finish();
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'id') this.#id = value;
    else if (field === 'event') this.#kind = value;
    else if (field === 'data') this.#data.push(value);
    return [];
  }

  #finish(): ServerEvent[] {
    const event = { id: this.#id, kind: this.#kind || 'message', data: this.#data.join('\n') };
    const isEvent = this.#data.length > 0;
    this.#id = undefined;
    this.#kind = '';
    this.#data = [];
    return isEvent ? [event] : [];
  }
}
