import { Injectable } from '@nestjs/common';
import { listDrivers } from '../core/channels/channels.settings.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { isReservedPrincipal } from '../core/identity/principal.js';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { RepeatedLines } from '../core/telemetry/repeated-lines.js';
import { Clock } from '../core/time/clock.js';
import type { Undecided } from './auth-failures.js';
import {
  ProviderDownError,
  UndecidedError,
  VerifierExplorer,
  type CredentialVerifier,
  type PresentedCredential,
  type Verdict,
} from './credential-verifier.js';
import { JwtVerifier } from './jwt/jwt-verifier.js';
import { SignInsService } from './oidc/sign-ins.service.js';

/** Time after which a verifier counts as unable to decide, in milliseconds. */
export const VERIFY_TIMEOUT_MS = 10_000;

const UNDECIDED = 'a credential could not be verified';

/** Runs verifiers in order until one recognises the credential. */
@Injectable()
export class VerifierChain {
  private readonly log: Log;
  private readonly lines = new RepeatedLines();
  private drivers: readonly string[] | undefined;
  private brought: readonly CredentialVerifier[] | undefined;

  constructor(
    private readonly explorer: VerifierExplorer,
    private readonly jwt: JwtVerifier,
    private readonly signIns: SignInsService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('auth');
  }

  /** Counts each minute what the log would repeat, and at the stop. */
  @StartStep({ name: 'count credentials that cannot be verified', phase: 'run' })
  start(): Undo {
    return this.lines.start(this.clock);
  }

  /** True if there is no identity provider, and no module has a verifier. */
  get isEmpty(): boolean {
    return this.listBrought().length === 0;
  }

  /** Runs `first`, then those of identity providers and modules. Resolves with why one that ran could not decide, if so. */
  async verify(first: readonly CredentialVerifier[], presented: PresentedCredential): Promise<Verdict | Undecided> {
    for (const verifier of [...first, ...this.listBrought()]) {
      try {
        const verdict = await this.ask(verifier, presented);
        if (this.isReserved(verdict) && !first.includes(verifier))
          return { refused: 'its principal has a reserved name' };
        if (verdict !== 'notMine') return verdict;
      } catch (error) {
        this.report(error, verifier.constructor.name);
        return error instanceof ProviderDownError ? 'providerDown' : 'unavailable';
      }
    }
    return 'notMine';
  }

  private report(error: unknown, verifier: string): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.lines.note(`${verifier} ${reason}`, (fields) => {
      if (error instanceof UndecidedError) this.log.info({ reason, ...fields }, UNDECIDED);
      else this.log.error({ error, verifier, ...fields }, UNDECIDED);
    });
  }

  /** Waits for an asynchronous verdict within the time limit. */
  private async ask(verifier: CredentialVerifier, presented: PresentedCredential): Promise<Verdict> {
    const verdict = verifier.verify(presented);
    if (!(verdict instanceof Promise)) return verdict;
    const decided = new AbortController();
    const timeout = this.clock.sleep(VERIFY_TIMEOUT_MS, decided.signal).then(() => {
      throw new Error(`no verdict within ${VERIFY_TIMEOUT_MS} ms`);
    });
    return Promise.race([verdict, timeout]).finally(() => decided.abort());
  }

  private isReserved(verdict: Verdict): boolean {
    if (typeof verdict !== 'object' || !('principal' in verdict)) return false;
    this.drivers ??= listDrivers(this.config.list().map(({ key }) => key));
    return isReservedPrincipal(verdict.principal, verdict.role, this.drivers);
  }

  /** Found at first use, when all modules are complete and changes of earlier runs are in force. */
  private listBrought(): readonly CredentialVerifier[] {
    return (this.brought ??= [...[this.jwt, this.signIns].filter((own) => own.isConfigured), ...this.explorer.list()]);
  }
}
