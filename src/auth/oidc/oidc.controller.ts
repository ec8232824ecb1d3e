import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, HttpCode, NotFoundException, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { AuthService } from '../auth.service.js';
import { UndecidedError } from '../credential-verifier.js';
import { OidcClientService, type OidcClient } from './oidc-client.service.js';
import { describeOutage, renderFailure, renderHalfSignedOut } from './failure-page.js';
import { SESSION_COOKIE, SIGN_IN_LIFETIME_MS, SignInsService } from './sign-ins.service.js';
import { addState, STATE_LIFETIME_MS, toReturnPath } from './sign-in-states.js';
import { SignInFlow } from './sign-in-flow.js';

const STATES_COOKIE = 'openclaw-sign-in';

/** The state of the sign-in of a browser. */
interface SessionState {
  /** True if an identity provider signs people in. */
  readonly offered: boolean;
  /** True if this browser is signed in by it. */
  readonly signed_in: boolean;
}

/** Signs people in and out by an identity provider (OpenID Connect, code flow with PKCE). For browsers and the provider. */
@ApiExcludeController()
@Controller('auth')
export class OidcController {
  constructor(
    private readonly clients: OidcClientService,
    private readonly signIns: SignInsService,
    private readonly flow: SignInFlow,
    private readonly auth: AuthService,
  ) {}

  @Get('session')
  async readSession(@Req() request: IncomingMessage): Promise<SessionState> {
    const client = this.clients.find();
    const hasCookie = client?.cookies.read(request, SESSION_COOKIE) !== undefined;
    return { offered: client !== undefined, signed_in: hasCookie && (await this.auth.find(request)) !== undefined };
  }

  /** Sends a person to the identity provider. */
  @Get('login')
  async login(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Query('return_to') returnTo?: unknown,
  ): Promise<void> {
    await this.begin(request, response, typeof returnTo === 'string' ? returnTo : undefined, false);
  }

  /** Where the identity provider sends a person back to. */
  @Get('callback')
  async complete(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Query() query: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const client = this.require();
    const cookie = client.cookies.read(request, STATES_COOKIE);
    const outcome = await this.flow.complete(client, request, query, cookie);
    if (outcome.kind === 'lost') return this.begin(request, response, outcome.returnTo, true);
    const states = client.cookies.write(STATES_COOKIE, outcome.states, STATE_LIFETIME_MS / 1_000);
    if (outcome.kind === 'failed') {
      response.setHeader('Set-Cookie', states);
      return sendPage(
        response,
        outcome.status,
        renderFailure(outcome.says, client.publicUrl, toReturnPath(outcome.returnTo)),
      );
    }
    // Who signs in again is not signed in twice.
    const older = client.cookies.read(request, SESSION_COOKIE);
    if (older !== undefined) await this.signIns.close(older);
    const session = client.cookies.write(SESSION_COOKIE, outcome.cookie, SIGN_IN_LIFETIME_MS / 1_000);
    response.setHeader('Set-Cookie', [session, states]);
    response.writeHead(303, { Location: `${client.publicUrl}${outcome.returnTo}` }).end();
  }

  /** Signs a person out, in all tabs. The page goes to `location`, where the identity provider does the same. */
  @Post('logout')
  @HttpCode(200)
  async logout(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<{ readonly location?: string }> {
    const client = this.require();
    const cookie = client.cookies.read(request, SESSION_COOKIE);
    if (cookie === undefined || request.headers.origin !== client.origin) return {};
    const idToken = await this.signIns.close(cookie);
    response.setHeader('Set-Cookie', client.cookies.write(SESSION_COOKIE, '', 0));
    if (idToken === undefined) return {};
    try {
      const location = await client.provider.buildLogoutUrl(idToken, `${client.publicUrl}/chat`);
      return location === undefined ? {} : { location };
    } catch (error) {
      if (!(error instanceof UndecidedError)) throw error;
      return { location: `${client.publicUrl}/auth/signed-out` };
    }
  }

  /** Where a sign-out ends while the identity provider cannot be asked. */
  @Get('signed-out')
  showSignedOut(@Res() response: ServerResponse): void {
    sendPage(response, 200, renderHalfSignedOut(this.require().publicUrl));
  }

  /** Called by the identity provider: a person has signed out there, or lost access. */
  @Post('backchannel-logout')
  async logoutByProvider(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const status = await this.flow.logOut(this.require(), request);
    // The unread rest of a body that is too large would be taken for the next request.
    response.writeHead(status, status === 413 ? { Connection: 'close' } : {}).end();
  }

  private async begin(
    request: IncomingMessage,
    response: ServerResponse,
    returnTo: string | undefined,
    isSecond: boolean,
  ): Promise<void> {
    const client = this.require();
    const { id, state } = client.states.begin(returnTo, isSecond);
    try {
      const location = await client.provider.buildLoginUrl(state, client.states.secretsOf(id), client.redirectUri);
      const states = addState(client.cookies.read(request, STATES_COOKIE), id);
      response.setHeader('Set-Cookie', client.cookies.write(STATES_COOKIE, states, STATE_LIFETIME_MS / 1_000));
      response.writeHead(302, { Location: location }).end();
    } catch (error) {
      if (!(error instanceof UndecidedError)) throw error;
      sendPage(response, 503, renderFailure(describeOutage(error), client.publicUrl, toReturnPath(returnTo)));
    }
  }

  /** @throws NotFoundException if there is no identity provider */
  private require(): OidcClient {
    const client = this.clients.find();
    if (!client) throw new NotFoundException('auth.oidc is not set: no identity provider signs people in');
    return client;
  }
}

function sendPage(response: ServerResponse, status: number, page: string): void {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
}
