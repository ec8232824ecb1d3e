import { makeName } from '../model/page-storage.js';

const KEY = 'openclaw.webchat.shown-pages';
const TAB_KEY = 'openclaw.webchat.tab';
const RENEW_MS = 1_000;
/** A mark that was not renewed for this time is of a chat that stands still. */
const STALE_MS = 3_000;
const MAX_MARKS = 50;

interface Mark {
  /** Unix milliseconds. */
  readonly at: number;
  readonly tab: string;
}

/**
 * A mark in the browser while a page of an agent is shown, renewed as long as the chat runs. The page's script can stop the
 * chat at any time: a mark that is left over says that it did, to this tab after a reload and to other tabs.
 */
export class ShownPageMark {
  #name: string | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Sets the mark. Returns false, and forgets it, if the page of this name has stopped a chat. */
  begin(name: string): boolean {
    this.done();
    const { [name]: known, ...others } = readMarks();
    if (known && (known.tab === tabName() || Date.now() - known.at > STALE_MS)) {
      writeMarks(others);
      return false;
    }
    this.#name = name;
    this.#renew();
    this.#timer = setInterval(() => this.#renew(), RENEW_MS);
    return true;
  }

  done(): void {
    clearInterval(this.#timer);
    if (this.#name === undefined) return;
    const { [this.#name]: _, ...others } = readMarks();
    this.#name = undefined;
    writeMarks(others);
  }

  #renew(): void {
    if (this.#name !== undefined) writeMarks({ ...readMarks(), [this.#name]: { at: Date.now(), tab: tabName() } });
  }
}

function readMarks(): Readonly<Record<string, Mark>> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, Mark>;
  } catch {
    return {};
  }
}

function writeMarks(marks: Readonly<Record<string, Mark>>): void {
  try {
    const newest = Object.entries(marks).slice(-MAX_MARKS);
    if (newest.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(newest)));
  } catch {
    // A browser that stores nothing cannot remember it.
  }
}

/** The name of this tab, the same after a reload. */
function tabName(): string {
  try {
    const known = sessionStorage.getItem(TAB_KEY);
    if (known !== null) return known;
    const made = makeName();
    sessionStorage.setItem(TAB_KEY, made);
    return made;
  } catch {
    return '';
  }
}
