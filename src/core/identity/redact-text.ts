import { HIDDEN } from '../config/secrets.js';
import { TOKEN_PREFIX } from './token-prefix.js';

/** The ends of names of secrets in a text: `apiKey`, `PGPASSWORD`, `client_secret`. `tokens=12` is a number of tokens. */
const NAMES = String.raw`(?:tokens?(?!\W{1,4}\d{1,9}\b)|id_token_hint|password|passwd|pwd|passphrase|secret|(?:api|private|access|account|shared|signing|subscription)[_-]?key|sig|signature|jwt|assertion|code_verifier|credentials)`;

/** The header, as it is written in a text or in JSON within one, and the schemes that have no rule of their own. */
const AUTHORIZATION = String.raw`authorization\\*"?\s{0,4}[:=]\s{0,4}\\*"?`;
const SCHEME = '(?:token|key|apikey|bot|digest|negotiate|splunk) ';

/** The beginnings of a run-time token in base64, one for each place in a longer text. */
const ENCODED_BEGINNINGS = [0, 1, 2].map((before) => {
  const bytes = Buffer.from(`${'x'.repeat(before)}${TOKEN_PREFIX}`);
  // The first and the last characters depend on what surrounds it.
  return bytes.toString('base64').slice(Math.ceil((before * 4) / 3), Math.floor((bytes.length * 4) / 3));
});

/** Lengths are bounded, so that no text is slow to search. */
const SECRET_TEXTS: readonly (readonly [secret: RegExp, replacement: string])[] = [
  // A JWT.
  [/\beyJ[\w-]{5,8192}\.[\w-]{2,8192}(?:\.[\w-]{0,8192})?/g, HIDDEN],
  // Authorization, the browser's subprotocol, cookies, other headers.
  [/\b(bearer\s+)[\w.~+/=-]{16,}/gi, `$1${HIDDEN}`],
  // A shorter one that is not a word.
  [/\b([Bb]earer\s+)(?=[\w.~+/-]{0,15}[A-Z0-9])[\w.~+/=-]{8,}/g, `$1${HIDDEN}`],
  [new RegExp(String.raw`\b(${AUTHORIZATION}${SCHEME})[^\s"\\,;]+`, 'gi'), `$1${HIDDEN}`],
  // Without a scheme: a value that is not a word.
  [
    new RegExp(
      String.raw`\b(${AUTHORIZATION})(?!bearer|basic|${SCHEME})(?=[^\s"\\,;]{0,64}\d|[^\s"\\,;]{16})[^\s"\\,;]{6,8192}`,
      'gi',
    ),
    `$1${HIDDEN}`,
  ],
  [/\b(Basic )(?=[\w+/]{0,256}[\d=]|[\w+/]{1,256}[A-Z])[\w+/]{8,8192}={0,2}/g, `$1${HIDDEN}`],
  [/(openclaw\.bearer\.)[\w.~-]+/g, `$1${HIDDEN}`],
  [/\b((?:set-)?cookie\\*"?\s{0,4}[:=]\s{0,4}\\*"?)[^"\\\r\n]{1,8192}/gi, `$1${HIDDEN}`],
  [
    /\b((?:api-key|(?!idempotency|sort|foreign|public|primary|partition|cache|routing)[\w-]{1,40}-(?:key|token|secret|password|signature)|password|otp):\s{0,4})[^\s"\\,;]+/gi,
    `$1${HIDDEN}`,
  ],
  // A key in PEM, also with its line ends as escapes of JSON.
  [/(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)(?:[\w+/=:,.\s-]|\\+[rn]){1,16384}/g, `$1${HIDDEN}`],
  // Addresses that are credentials: incoming webhooks, bots.
  [/(hooks\.slack\.com\/\w{1,20}\/)[\w/-]{1,512}/gi, `$1${HIDDEN}`],
  [/(\/api\/webhooks\/\d{1,24}\/)[\w-]{1,512}/gi, `$1${HIDDEN}`],
  [/(\/bot\d{4,16}:)[\w-]{1,512}/gi, `$1${HIDDEN}`],
  // Tokens that were made at run time: only their digests are known, and those of other replicas not even that.
  [new RegExp(String.raw`\b${TOKEN_PREFIX}[\w-]{16,8192}`, 'g'), HIDDEN],
  [new RegExp(String.raw`(?:${ENCODED_BEGINNINGS.join('|')})[\w+/-]{38,8192}`, 'g'), HIDDEN],
  // Sign-ins of pages and of device nodes.
  [/\b(page\.[0-9a-z]{4,16}\.)[\w-]{8,64}(?:\.[\w-]{8,128})?/g, `$1${HIDDEN}`],
  [/\b(node1\.[a-z0-9-]{1,64}\.\d{10,16}\.)[\w-]{8,128}\.[\w-]{8,128}/g, `$1${HIDDEN}`],
  // Keys of providers.
  [
    /\b((?:sk|pk|rk|gsk|xai|hf|gh[oprsu]|github_pat|glpat|xox[a-z]|xapp|npm|whsec|nvapi|r8)[-_])(?=[\w-]{0,256}\d|[A-Za-z]{20})[\w-]{16,}/g,
    `$1${HIDDEN}`,
  ],
  [/\b(AIza|ya29\.|SG\.)[\w.-]{20,}/g, `$1${HIDDEN}`],
  // The user info of a URL, up to the last @ before a space: a password may have one itself. What follows a port is a path.
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@"\\]{0,256}:)(?!\d{1,5}[/?#])[^\s"\\]{1,512}(@)/gi, `$1${HIDDEN}$2`],
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)(?=[\w.~%-]{0,256}\d)[\w.~%-]{16,512}(@)/gi, `$1${HIDDEN}$2`],
  // Parameters of an address, a form or a connection string; JSON within a text.
  [
    /([?&](?:code|state|sig|signature|key|ticket)=)(?![a-z_]{1,24}(?![^&\s"\\])|E[A-Z]{3,20}\b)[^&\s"\\]+/g,
    `$1${HIDDEN}`,
  ],
  [new RegExp(String.raw`(${NAMES}(?:=|%3d))[^&\s"'\\,;]+`, 'gi'), `$1${HIDDEN}`],
  [new RegExp(String.raw`(${NAMES}\s?[=:]\s?\\*["'])[^"'\\]+`, 'gi'), `$1${HIDDEN}`],
  // A value that is not a word, as in YAML and on a command line.
  [new RegExp(String.raw`(${NAMES}(?::\s|\s))(?=[^\s"'\\,;]{0,64}\d)[^\s"'\\,;]{8,8192}`, 'gi'), `$1${HIDDEN}`],
  [new RegExp(String.raw`(${NAMES}\\*"\s{0,4}:\s{0,4}\\*")[^"\\]+`, 'gi'), `$1${HIDDEN}`],
];

/** Something of this is in every text with such a secret, and is found faster. */
const SIGNS =
  /eyj|oct_|b2N0X|9jdF|vY3Rf|page\.|node1\.|bearer|basic |cookie|(?:sk|pk|rk|ai|hf|gh[oprsu]|pat|xox[a-z]|app|npm|sec|pi|r8)[-_]|aiza|ya29|sg\.|:\/\/[^\s/]*@|[?&]\w*=|token(?!s\W{1,4}\d)|passw|pwd|passphrase|secret|key|jwt|assertion|verifier|credentials|authorization|signature|sig=|otp:|hooks\.slack|\/webhooks\/|\/bot\d/i;

/** Replaces text that looks like a credential. Never touches a quote or a backslash, so JSON stays valid. */
export function redactText(text: string): string {
  if (!SIGNS.test(text)) return text;
  return SECRET_TEXTS.reduce((redacted, [secret, replacement]) => redacted.replace(secret, replacement), text);
}
