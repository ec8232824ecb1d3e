import type { ReactiveControllerHost, TemplateResult } from 'lit';
import { reportMissing } from '../design/lazy-part.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import type { HistorySearch } from '../model/history-search.js';
import { patternOf } from '../model/search-words.js';

/** Time without a keystroke after which messages are searched, in milliseconds. Titles are searched at once. */
const SEARCH_AFTER_MS = 300;

/** Fewer letters would find nearly every message. */
const MIN_LETTERS = 2;

/** The state of the list of conversations: its search, and the conversation whose title is being typed. */
export class ConversationList {
  words = '';
  renaming: Conversation | undefined;
  /** Renders the messages that a search has found so far; undefined before there is one. */
  hits: (() => TemplateResult) | undefined;
  #search: HistorySearch | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: ReactiveControllerHost & HTMLElement,
    private readonly findChat: () => Chat,
  ) {}

  /** The conversations whose titles have the words. */
  get found(): readonly Conversation[] {
    const { listed } = this.findChat().conversations;
    const pattern = patternOf(this.words);
    return listed.filter(({ title }) => title !== undefined && pattern.test(title));
  }

  get isSearching(): boolean {
    return this.words.trim() !== '';
  }

  type(words: string): void {
    this.words = words;
    this.#search?.stop();
    this.hits = undefined;
    clearTimeout(this.#timer);
    if (Array.from(words.trim()).length >= MIN_LETTERS)
      this.#timer = setTimeout(() => void this.#start(words), SEARCH_AFTER_MS);
    this.host.requestUpdate();
  }

  rename(conversation: Conversation | undefined): void {
    const wasRenaming = this.renaming !== undefined;
    this.renaming = conversation;
    this.host.requestUpdate();
    // The field, or the row that the field had replaced.
    const place = conversation ? '.naming' : wasRenaming && '.sidebar .active .entry';
    if (place) void this.host.updateComplete.then(() => this.#focus(place));
  }

  #focus(place: string): void {
    const element = this.host.querySelector<HTMLElement>(place);
    element?.focus();
    if (element instanceof HTMLInputElement) element.select();
  }

  async #start(words: string): Promise<void> {
    const part = await import('./search-results.js').catch(reportMissing);
    if (!part || this.words !== words) return;
    const { startSearch, renderHits } = part;
    const search = startSearch(words, this.findChat(), () => this.host.requestUpdate());
    this.#search = search;
    this.hits = () => renderHits(search, this.findChat().conversations);
    this.host.requestUpdate();
  }
}
