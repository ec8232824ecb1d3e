const KEY = 'openclaw.webchat.drawing';

/**
 * A mark that stands while a surface is drawn. One that is found when the page is opened again is of a surface that never
 * ended drawing, and would stop the page a second time.
 */
export class DrawingMark {
  #isSet = false;

  /** Sets the mark. Returns false if a surface of this name was begun before and never ended. */
  begin(name: string): boolean {
    if (this.#read() === name && !this.#isSet) return false;
    this.#isSet = true;
    this.#write(name);
    return true;
  }

  /** Removes the mark once the browser has shown two frames. */
  doneAfterFrames(): void {
    if (this.#isSet) requestAnimationFrame(() => requestAnimationFrame(() => this.done()));
  }

  done(): void {
    this.#isSet = false;
    this.#write(undefined);
  }

  #read(): string | undefined {
    try {
      return sessionStorage.getItem(KEY) ?? undefined;
    } catch {
      return undefined;
    }
  }

  #write(name: string | undefined): void {
    try {
      if (name === undefined) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, name);
    } catch {
      // A browser that stores nothing cannot remember it.
    }
  }
}
