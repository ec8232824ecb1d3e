import type { AssistantMessage } from '@earendil-works/pi-ai';
import type { RequestedCall } from '../../core/turns/agent-runtime.js';
import type { ModelFailure } from './failures.js';

/** A complete answer of a model. */
export interface ModelAnswer {
  readonly message: AssistantMessage;
  /** In the order of the message, under the names that the model knows; parameters that are not JSON stay text. */
  readonly calls: readonly RequestedCall[];
}

/** The outcome of a request; `aborted` if the turn ended meanwhile. */
export type AskOutcome =
  | { readonly kind: 'answer'; readonly answer: ModelAnswer }
  | { readonly kind: 'failed'; readonly failure: ModelFailure }
  | { readonly kind: 'aborted' };
