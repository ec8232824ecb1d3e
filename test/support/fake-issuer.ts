import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { FakeServer } from './fake-server.js';

const ALGORITHM = 'ES256';

/** An issuer of tokens on a free port of the loopback, whose keys change on demand. */
export class FakeIssuer extends FakeServer<undefined, { readonly status: number }> {
  /** Requests for the keys. */
  fetches = 0;
  isUp = true;
  /** Status of all responses. */
  status = 200;
  /** Members of its document, beside or instead of its own. */
  document: Readonly<Record<string, unknown>> = {};
  /** The set of its keys, if it is not that of its key. */
  keys: unknown;
  private key!: CryptoKey;
  /** The public key. */
  jwk!: JWK;

  static async start(): Promise<FakeIssuer> {
    const issuer = await new FakeIssuer().listen();
    await issuer.rotate();
    return issuer;
  }

  /** The setting `auth.jwt` of a gateway that takes its tokens. */
  get setting(): Record<string, unknown> {
    return {
      issuer: this.url,
      audience: 'gateway',
      claims: {
        roles: { users: { role: 'user', channels: ['test', 'webchat'] }, admins: { role: 'operator' } },
      },
    };
  }

  /** Replaces the key. */
  async rotate(): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
    this.key = privateKey;
    this.jwk = { ...(await exportJWK(publicKey)), kid: crypto.randomUUID(), alg: ALGORITHM, use: 'sig' };
  }

  /** Issues a token for `sub`. `header` has further fields of the protected header. */
  async issue(
    sub: string,
    groups: readonly string[],
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
  ): Promise<string> {
    return new SignJWT({ iss: this.url, aud: 'gateway', sub, groups, ...claims })
      .setProtectedHeader({ alg: ALGORITHM, kid: this.jwk.kid!, ...header })
      .setIssuedAt((claims['iat'] as number | undefined) ?? Math.floor(Date.now() / 1_000))
      .setExpirationTime((claims['exp'] as number | undefined) ?? '10 min')
      .sign(this.key);
  }

  protected override async serve({ url }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.isUp) return void response.destroy();
    const isKeys = url === '/keys';
    if (isKeys) this.fetches++;
    const document = { issuer: this.url, jwks_uri: `${this.url}/keys`, ...this.document };
    const body = isKeys ? (this.keys ?? { keys: [this.jwk] }) : document;
    response.writeHead(this.status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
}
