import { hkdfSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { SettingsError, type SettingFault } from '../../core/config/section.js';
import { StartStep, type Undo } from '../../core/lifecycle/steps.js';
import { ReachService } from '../../core/reach/reach.service.js';
import { Logs } from '../../core/telemetry/logs.js';
import { Clock } from '../../core/time/clock.js';
import { egressFetch } from '../../http/egress/egress-fetch.js';
import { listPrefixes } from '../jwt/jwt.settings.js';
import { findForeignPrefixes } from '../jwt/read-claims.js';
import { IssuerFault } from '../jwt/request-json.js';
import type { IssuerProblem } from '../jwt/signing-keys.js';
import { Cookies } from './cookies.js';
import { OidcProvider } from './oidc-provider.js';
import type { OidcSetting } from './oidc.settings.js';
import { SignInStates } from './sign-in-states.js';

/** The gateway as a client of an identity provider. */
export interface OidcClient {
  readonly provider: OidcProvider;
  readonly states: SignInStates;
  readonly cookies: Cookies;
  /** Where people reach the gateway, without a slash at its end. */
  readonly publicUrl: string;
  /** The origin of its pages. */
  readonly origin: string;
  readonly redirectUri: string;
}

/** Puts the parts of the sign-in by an identity provider together, as `auth.oidc` describes it. */
@Injectable()
export class OidcClientService {
  private lasting: Pick<OidcClient, 'provider' | 'states'> | undefined;
  private client: OidcClient | undefined;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly reach: ReachService,
    private readonly clock: Clock,
    private readonly logs: Logs,
  ) {
    config.addCheck((_before, after) => this.findFileFaults(after('auth.oidc')));
  }

  get isConfigured(): boolean {
    return this.config.get('auth.oidc') !== undefined;
  }

  /** Why the provider cannot be asked, and since when. */
  get problem(): IssuerProblem | undefined {
    return this.lasting?.provider.problem;
  }

  /** Returns the client, at the address where people reach the gateway now; undefined if none is configured. */
  find(): OidcClient | undefined {
    const setting = this.config.get('auth.oidc');
    if (!setting) return undefined;
    const publicUrl = this.reach.publicUrl ?? '';
    if (this.client?.publicUrl !== publicUrl) this.client = this.makeAt(publicUrl, setting);
    return this.client;
  }

  /** @throws Error if none is configured */
  get(): OidcClient {
    const client = this.find();
    if (!client) throw new Error('auth.oidc is not set');
    return client;
  }

  /** @throws SettingsError if the file of the secret cannot be read: nobody could sign in */
  @StartStep({ name: 'read the secret of pages', phase: 'register' })
  async check(): Promise<void> {
    const faults = await this.findFileFaults(this.config.get('auth.oidc'));
    if (faults.length > 0) throw new SettingsError(faults);
  }

  /** Learns about the provider ahead of the first sign-in. */
  @StartStep({ name: 'ask the identity provider of pages', phase: 'run' })
  start(): Undo | undefined {
    const keys = this.find()?.provider.keys;
    keys?.start();
    return keys && (() => keys.stop());
  }

  private makeAt(publicUrl: string, setting: OidcSetting): OidcClient {
    // Made at first use, when changes of earlier runs are in force.
    this.lasting ??= this.make(setting);
    return {
      ...this.lasting,
      cookies: new Cookies(publicUrl),
      publicUrl,
      origin: new URL(publicUrl).origin,
      redirectUri: `${publicUrl}/auth/callback`,
    };
  }

  private make(setting: OidcSetting): Pick<OidcClient, 'provider' | 'states'> {
    const { client_secret: secret, claims } = setting;
    // Without a secret in the settings, a sign-in that has begun before a restart begins once more.
    const key =
      secret === undefined
        ? randomBytes(32)
        : Buffer.from(hkdfSync('sha256', secret, '', 'openclaw sign-in state', 32));
    const foreign = findForeignPrefixes(
      claims.prefix ?? '',
      listPrefixes((name) => this.config.get(name)),
    );
    return {
      provider: new OidcProvider(
        setting,
        foreign,
        () => this.readSecret(setting),
        egressFetch,
        this.clock,
        this.logs.for('auth'),
      ),
      states: new SignInStates(key, this.clock),
    };
  }

  /**
   * Reads the secret of the client, each time: its file may change. Resolves with undefined for a public client.
   * @throws IssuerFault if the file cannot be read. It does not name the path, which people at the sign-in need not know.
   */
  private async readSecret({
    client_secret: secret,
    client_secret_file: file,
  }: OidcSetting): Promise<string | undefined> {
    if (file === undefined) return secret;
    try {
      return (await readFile(resolve(this.config.folder, file), 'utf8')).replace(/\r?\n$/, '');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new IssuerFault(`auth.oidc.client_secret_file cannot be read (${code ?? 'unknown'})`);
    }
  }

  private async findFileFaults(setting: OidcSetting | undefined): Promise<readonly SettingFault[]> {
    try {
      if (setting) await this.readSecret(setting);
      return [];
    } catch (error) {
      return [{ key: 'auth.oidc.client_secret_file', message: (error as Error).message.replace(/^\S+ /, '') }];
    }
  }
}
