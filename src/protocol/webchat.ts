/** The payload of `webchat.conversation`, the response to `webchat.find`: how a page continues a conversation. */
export interface WebchatConversation {
  /** The sender to speak as. */
  readonly sender: string;
  /** The principal that began it. Missing if it has no message. */
  readonly principal?: string;
}

/**
 * The payload of `webchat.identity`, the response to `webchat.identify`: the identity that the gateway gives a page.
 */
export interface WebchatIdentity {
  /** The tenant and the principal of the page's credential. All that the page stores in the browser belongs to them. */
  readonly tenant: string;
  readonly principal: string;
  /** The only sender that the page may use; any when missing. */
  readonly sender?: string;
  /** The sender's most recently used main session. Missing if there is none. */
  readonly session_id?: string;
  readonly agent_name: string;
  /** The runtime that replies: `builtin`, or a model's. */
  readonly agent_runtime: string;
  /** Messages that an empty conversation offers. */
  readonly starters: readonly string[];
  /** The media types of files that may be uploaded. */
  readonly media_types: readonly string[];
  /** False in open mode for a page without the local token. */
  readonly decides_approvals: boolean;
}
