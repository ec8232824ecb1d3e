/** The payload of `webchat.identity`, the response to `webchat.identify`: how the gateway identifies a page. */
export interface WebchatIdentity {
  /** The one sender that the page may speak as; missing: any. */
  readonly sender?: string;
  readonly agent_name: string;
  /** The runtime that answers: `builtin`, or a model's. */
  readonly agent_runtime: string;
}
