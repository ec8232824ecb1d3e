import { createSecretHider } from '../config/secrets.js';
import { redactText } from '../identity/redact-text.js';

/**
 * Returns the text of a failure of a driver without secrets: a platform may repeat what it was sent, as its own address with
 * the token of a bot. Hides known secrets and what looks like a credential.
 * @param secrets those of the settings, read for each failure: one that was changed a moment ago is hidden too
 */
export function hideInFailure(text: string, secrets: readonly string[]): string {
  return redactText(createSecretHider(secrets, false)(text));
}
