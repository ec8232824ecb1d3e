import type { IncomingMessage } from 'node:http';
import { applyDecorators, Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { Principal } from '../core/identity/principal.js';
import type { RequestFacts } from '../http/request-facts.js';
import type { Credential } from './credentials.js';
import { VERIFIER_MARK } from './exposure.js';

/** A request to authenticate, plain HTTP or upgrade. */
export interface PresentedCredential {
  readonly credential: Credential;
  /** Addresses, `Host` and `Origin`. `clientAddress` already takes trusted proxies into account. */
  readonly facts: RequestFacts;
  /** For credentials in custom headers. Its body has not been read and must not be. */
  readonly request: IncomingMessage;
}

/** The credential is of the verifier's kind and not valid. `refused` is logged and never sent to the peer. */
export interface Refusal {
  readonly refused: string;
  /** Sent to the peer, at most 123 bytes. Only for a peer that has proven to be the owner of the credential. */
  readonly publicReason?: string;
  /** True if it does not count as a failed authentication. */
  readonly isHarmless?: boolean;
}

/**
 * - A principal: the credential is valid. Its connections end at `expiresAt`.
 * - {@link Refusal}: it is of this kind and not valid; later verifiers do not run.
 * - `notMine`: it is of another kind, or not distinguishable from a guess; the next verifier runs.
 */
export type Verdict = Principal | Refusal | 'notMine';

/** Thrown by a verifier that cannot decide now, for a reason that it knows. Its message is logged. */
export class UndecidedError extends Error {}

/** Thrown by a verifier that cannot decide because an identity provider cannot be asked. */
export class ProviderDownError extends UndecidedError {
  /** @param isFault true if the provider responds, and not as it should */
  constructor(
    message: string,
    readonly isFault = false,
  ) {
    super(message);
  }
}

/** Recognises one kind of credential, for example static tokens, JWTs or the headers of an authenticating proxy. */
export interface CredentialVerifier {
  /**
   * Verifies the credential of an upgrade or a guarded HTTP request, also from an address with too many failures: a
   * valid credential always passes. Return `notMine` before any costly work, and compare secrets in constant time.
   *
   * Throw or reject if you cannot decide now, for example because keys cannot be fetched: the request gets 503, and
   * nothing counts against its address. A promise that is pending after 10 s is treated the same.
   */
  verify(presented: PresentedCredential): Verdict | Promise<Verdict>;
}

/** Marks classes for {@link VerifierExplorer}. */
const VerifierMetadata = DiscoveryService.createDecorator();

/**
 * Makes a provider of any Nest module a verifier of credentials. They run after the gateway's verifiers, in the order
 * in which Nest finds their modules. With one present the gateway is never in open mode, and may
 * listen beyond loopback without configured tokens.
 */
export function VerifiesCredentials() {
  const mark: ClassDecorator = (target) => Reflect.defineMetadata(VERIFIER_MARK, true, target);
  const decorate = applyDecorators(Injectable(), VerifierMetadata(), mark);
  return <C extends new (...args: never[]) => CredentialVerifier>(target: C): void => decorate(target);
}

/** Finds the `@VerifiesCredentials` providers of all modules. */
@Injectable()
export class VerifierExplorer {
  constructor(private readonly discovery: DiscoveryService) {}

  /** Lists the verifiers. Do not call it from a constructor: Nest must have created all providers. */
  list(): readonly CredentialVerifier[] {
    return this.discovery
      .getProviders({ metadataKey: VerifierMetadata.KEY })
      .map(({ instance }) => instance as CredentialVerifier | null)
      .filter((verifier) => verifier !== null);
  }
}
