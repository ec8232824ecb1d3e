import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { announce } from './announce.js';

/** Time within which the second press counts, in milliseconds. */
const ASK_FOR_MS = 4_000;

/** The presses of a button that acts at the second one, if there is something to warn of. */
export class SecondPress implements ReactiveController {
  #isAsking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  /** True between the first press and the second one: the button shows the warning. */
  get isAsking(): boolean {
    return this.#isAsking;
  }

  /** Takes a press. Returns true if it counts: it is the second one, or there is no warning. @param warning empty for none */
  counts(warning: string): boolean {
    const counts = this.#isAsking || warning === '';
    this.#ask(!counts);
    if (!counts) announce(warning);
    return counts;
  }

  hostDisconnected(): void {
    this.#ask(false);
  }

  #ask(isAsking: boolean): void {
    clearTimeout(this.#timer);
    this.#isAsking = isAsking;
    this.host.requestUpdate();
    if (isAsking) this.#timer = setTimeout(() => this.#ask(false), ASK_FOR_MS);
  }
}
