import { html, type TemplateResult } from 'lit';
import type { DirectiveResult } from 'lit/directive.js';
import { toVisibleText } from '../../protocol/visible-text.js';
import { icons } from '../design/icons.js';
import type { Look } from '../design/look.js';
import { consoleIcons } from './icons.js';
import type { CHANNEL_STATES } from './pages/api-names.js';

const RUNNING: Look = [icons.working, 'info'];
const GOOD: Look = [icons.done, 'good'];
const WAITING: Look = [icons.sent, 'faint'];
const STOPPED: Look = [icons.stopped, 'faint'];
const HELD: Look = [icons.asks, 'held'];
const WARNING: Look = [icons.warning, 'warn'];
const BAD: Look = [icons.failed, 'bad'];

/** The word that is shown for a state, and its icon and colour. */
type Shown = readonly [word: string, look: Look];

const CHANNELS: Readonly<Record<(typeof CHANNEL_STATES)[number], Shown>> = {
  connecting: ['connecting', RUNNING],
  connected: ['connected', GOOD],
  degraded: ['degraded', WARNING],
  disconnected: ['disconnected', BAD],
  error: ['failed', BAD],
  stopped: ['stopped', STOPPED],
};

/** The states of the API. */
const STATES: Readonly<Record<string, Shown>> = {
  ...CHANNELS,
  // Messages and turns.
  queued: ['waiting', WAITING],
  waiting: ['waiting', WAITING],
  running: ['running', RUNNING],
  model: ['running', RUNNING],
  tool: ['running', RUNNING],
  approval: ['needs you', HELD],
  done: ['done', GOOD],
  stop: ['done', GOOD],
  merged: ['merged', GOOD],
  observed: ['read only', STOPPED],
  cancelled: ['cancelled', STOPPED],
  failed: ['failed', BAD],
  slow: ['slow', WARNING],
  idle: ['idle', STOPPED],
  // Tool calls and approvals.
  pending: ['needs you', HELD],
  allow: ['allowed', GOOD],
  allowed: ['allowed', GOOD],
  deny: ['denied', [icons.denied, 'held']],
  denied: ['denied', [icons.denied, 'held']],
  expired: ['expired', STOPPED],
  succeeded: ['done', GOOD],
  timed_out: ['timed out', BAD],
  // Deliveries.
  sending: ['sending', RUNNING],
  sent: ['sent', GOOD],
  dead: ['given up', BAD],
  retrying: ['retrying', [icons.retry, 'warn']],
  // Nodes, jobs and tools.
  online: ['connected', GOOD],
  offline: ['offline', STOPPED],
  paused: ['paused', [consoleIcons.paused, 'faint']],
  on: ['on', GOOD],
  off: ['off', STOPPED],
};

/** Describes a state of the API; one that is not known here keeps its word. */
export function describeState(state: string): { readonly word: string; readonly look: Look } {
  const [word, look] = STATES[state] ?? [state.replaceAll('_', ' '), [icons.unknown, 'warn'] satisfies Look];
  return { word, look };
}

/** Renders a state as an icon, a word and a colour. @param words more than the word of the state, such as "denied by Bob" */
export function renderState(state: string, words?: string): TemplateResult {
  const {
    word,
    look: [icon, tone],
  } = describeState(state);
  return renderChip(icon, tone, words ?? word);
}

/** Renders an icon and a word in the colour of a tone. */
export function renderChip(icon: DirectiveResult, tone: Look[1], word: string): TemplateResult {
  return html`<span class="state ${tone}">${icon}<span>${toVisibleText(word)}</span></span>`;
}
