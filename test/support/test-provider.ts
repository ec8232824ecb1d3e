import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { close, urlOf } from './loopback.js';

export const CLIENT = { id: 'gateway', secret: 'a-secret-of-the-client' };

/** A real identity provider (`oidc-provider`) on a free port of the loopback, in which everyone signs in with a name alone. */
export class TestProvider {
  /** The groups of each person; none for others. */
  readonly groups = new Map<string, readonly string[]>();
  /** Claims of all ID tokens. */
  extraClaims: Readonly<Record<string, unknown>> = {};
  idTokenLifetimeS = 3_600;
  /** True while it closes connections without a response. */
  isDown = false;
  /** Requests to the token endpoint with a refresh token. */
  refreshes = 0;
  private handle: RequestListener = (_request, response) => void response.writeHead(503).end();
  private readonly server: Server = createServer((request, response) => {
    if (this.isDown) request.socket.destroy();
    else this.handle(request, response);
  });

  /** @param gatewayUrl where people reach the gateway */
  private constructor(readonly gatewayUrl: string) {}

  static async start(gatewayUrl: string): Promise<TestProvider> {
    const provider = new TestProvider(gatewayUrl);
    provider.server.listen(0, '127.0.0.1');
    await once(provider.server, 'listening');
    await provider.rotate();
    return provider;
  }

  get issuer(): string {
    return urlOf(this.server);
  }

  /** The setting `auth.oidc` of its client. */
  get setting(): Record<string, unknown> {
    return {
      issuer: this.issuer,
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      claims: { roles: { users: { role: 'user' }, admins: { role: 'operator' } } },
    };
  }

  /** Replaces the provider by one with another key and without sessions. */
  async rotate(): Promise<void> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const key = { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: 'RS256', use: 'sig' };
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: [`${this.gatewayUrl}/auth/callback`],
          post_logout_redirect_uris: [`${this.gatewayUrl}/chat`],
          backchannel_logout_uri: `${this.gatewayUrl}/auth/backchannel-logout`,
          backchannel_logout_session_required: true,
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
        },
      ],
      jwks: { keys: [key] },
      cookies: { keys: ['a-key-of-cookies'] },
      claims: { openid: ['sub', 'groups', ...Object.keys(this.extraClaims)] },
      conformIdTokenClaims: false,
      findAccount: (_context: unknown, accountId: string) => ({
        accountId,
        claims: () => ({ sub: accountId, groups: this.groups.get(accountId) ?? [], ...this.extraClaims }),
      }),
      features: { backchannelLogout: { enabled: true } },
      // Its own refuses addresses of this machine.
      fetch: (address: string, { method, headers, body }: RequestInit) =>
        fetch(address, { method: method ?? 'GET', headers: headers ?? {}, body: body ?? null }),
      issueRefreshToken: () => true,
      rotateRefreshToken: true,
      pkce: { required: () => true },
      ttl: { IdToken: () => this.idTokenLifetimeS, Session: () => 86_400, Grant: () => 86_400, Interaction: () => 600 },
    });
    provider.on(
      'grant.success',
      ({ oidc }: { readonly oidc: { readonly params: { readonly grant_type: string } } }) => {
        if (oidc.params.grant_type === 'refresh_token') this.refreshes++;
      },
    );
    this.handle = provider.callback();
  }

  async close(): Promise<void> {
    await close(this.server);
  }
}
