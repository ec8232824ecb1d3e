import type { DirectiveResult } from 'lit/directive.js';

/** The colour of a state, by what it means. */
export type Tone = 'good' | 'bad' | 'warn' | 'info' | 'held' | 'faint';

/** The icon and the colour of a state. */
export type Look = readonly [icon: DirectiveResult, tone: Tone];
