/** The scopes of the bot's token that the channel uses: those of the manifest in docs/guides/slack.md. */
export const NEEDED_SCOPES: readonly string[] = [
  'app_mentions:read',
  'assistant:write',
  'channels:history',
  'channels:read',
  'chat:write',
  'files:read',
  'files:write',
  'groups:history',
  'groups:read',
  'im:history',
  'im:read',
  'im:write',
  'mpim:history',
  'mpim:read',
  'reactions:read',
  'users:read',
];

/** Says which scopes a token lacks. @param granted the header `X-OAuth-Scopes` of a response; null if Slack does not say */
export function describeMissing(granted: string | null): string[] {
  if (granted === null) return [];
  const has = new Set(granted.split(',').map((scope) => scope.trim()));
  const missing = NEEDED_SCOPES.filter((scope) => !has.has(scope));
  if (missing.length === 0) return [];
  return [`Scopes are missing: ${missing.join(', ')}. Add them under OAuth & Permissions, and install the app again.`];
}
