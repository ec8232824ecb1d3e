import { Signal } from '../model/signal.js';

const TICK_INTERVAL_MS = 1_000;

/** Emits each second while the page is visible: what shows ages and durations renders again. */
export const ticks = new Signal();

setInterval(() => {
  if (document.visibilityState === 'visible') ticks.emit();
}, TICK_INTERVAL_MS);
