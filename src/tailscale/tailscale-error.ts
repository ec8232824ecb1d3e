/** Why the gateway is not reachable through Tailscale. Its message is one sentence for the operator that says what to do. */
export class TailscaleError extends Error {
  override readonly name = 'TailscaleError';
}
