import { ConsoleSettings } from './settings.js';

/** The choices of the person before this page. */
export const settings = new ConsoleSettings(() => localStorage);
