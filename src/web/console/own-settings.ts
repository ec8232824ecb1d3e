import { ConsoleSettings } from './settings.js';

/** What the person before this page has chosen. */
export const settings = new ConsoleSettings(() => localStorage);
