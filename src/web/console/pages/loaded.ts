import { html, nothing, type ReactiveControllerHost, type TemplateResult } from 'lit';
import { ApiError } from '../api.js';
import type { ConsoleContext } from '../context.js';
import { describeError } from '../failure.js';
import { renderMissing } from '../missing.js';
import { consoleTexts } from '../texts.js';
import './pages.css';

/** Time between two readings that events ask for, in milliseconds. */
const READ_INTERVAL_MS = 500;

/** Something that a page reads and shows: a thing, or a few numbers. Old values stay while it is read again, or cannot be. */
export class Loaded<T> {
  #value: T | undefined;
  #error: unknown;
  #abort: AbortController | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;

  /** @param load reads the value @param taken is called with each one */
  constructor(
    private readonly host: ReactiveControllerHost & { readonly app: ConsoleContext },
    private readonly load: (signal: AbortSignal) => Promise<T>,
    private readonly taken: (value: T) => void = () => {},
  ) {
    host.addController({
      hostDisconnected: () => {
        clearTimeout(this.#soon);
        this.#abort?.abort();
      },
    });
  }

  get value(): T | undefined {
    return this.#value;
  }

  /** Why the newest reading has failed. */
  get error(): unknown {
    return this.#error;
  }

  /** Reads the value again. */
  async read(): Promise<void> {
    this.#abort?.abort();
    const { signal } = (this.#abort = new AbortController());
    try {
      this.#value = await this.load(signal);
      this.#error = undefined;
      this.taken(this.#value);
    } catch (error) {
      if (signal.aborted) return;
      this.#error = error;
    }
    this.host.requestUpdate();
  }

  /** Reads the value again within half a second, once for all calls until then. */
  readSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.read();
    }, READ_INTERVAL_MS);
  }

  /** Takes a value that an action has returned. */
  take(value: T): void {
    this.#value = value;
    this.taken(value);
    this.host.requestUpdate();
  }

  /** Forgets the value, because another thing is shown. */
  forget(): void {
    this.#value = this.#error = undefined;
  }

  render(content: (value: T) => TemplateResult): TemplateResult {
    const value = this.#value;
    if (this.#error instanceof ApiError && this.#error.isMissing) return renderMissing(this.host.app.router);
    return html`${this.#error === undefined ? nothing : this.#renderFailure()}${
      value !== undefined
        ? content(value)
        : this.#error === undefined
          ? html`<div class="loading" role="status" aria-busy="true"><span>${consoleTexts.list.loading}</span></div>`
          : nothing
    }`;
  }

  #renderFailure(): TemplateResult {
    return html`<div class="trouble" role="alert">
      <p>${describeError(this.#error)}</p>
      <button type="button" class="plain" @click=${() => this.read()}>${consoleTexts.list.tryAgain}</button>
    </div>`;
  }
}

/** Finds an item of a list that has no call for one item. @throws ApiError 404 if it is not there */
export async function findItem<T>(
  load: (cursor: string | undefined) => Promise<{ readonly items: readonly T[]; readonly next?: string }>,
  matches: (item: T) => boolean,
): Promise<T> {
  let cursor: string | undefined;
  do {
    const { items, next } = await load(cursor);
    const found = items.find(matches);
    if (found !== undefined) return found;
    cursor = next;
  } while (cursor !== undefined);
  throw new ApiError(404);
}
