import { Signal } from '../model/signal.js';

const TICK_INTERVAL_MS = 1_000;

/** Emits each second while the page is visible, from the first subscription on. */
class Ticks extends Signal {
  #runs = false;

  override subscribe(subscriber: () => void): () => void {
    if (!this.#runs) setInterval(() => this.#tick(), TICK_INTERVAL_MS);
    this.#runs = true;
    return super.subscribe(subscriber);
  }

  #tick(): void {
    if (document.visibilityState === 'visible') this.emit();
  }
}

/** The seconds of the page: what shows ages and durations renders again. */
export const ticks = new Ticks();
