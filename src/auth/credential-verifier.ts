import type { IncomingMessage } from 'node:http';
import { applyDecorators, Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { Principal } from '../core/identity/principal.js';
import type { RequestFacts } from '../http/request-facts.js';
import type { Credential } from './credentials.js';

/** A request that asks for authentication, plain HTTP or upgrade. */
export interface PresentedCredential {
  readonly credential: Credential;
  /** Addresses, `Host` and `Origin`. `clientAddress` already takes trusted proxies into account. */
  readonly facts: RequestFacts;
  /** For credentials that travel in headers of their own. Its body has not been read and must not be. */
  readonly request: IncomingMessage;
}

/** The credential is of the verifier's kind and not valid. `reason` is logged and never sent to the peer. */
export interface Refusal {
  readonly refused: string;
}

/**
 * - A principal: the credential is valid. Its `expiresAt` ends its connections.
 * - {@link Refusal}: it is of this kind and not valid; later verifiers are not asked.
 * - `notMine`: it is of another kind, or cannot be told from a guess; the next verifier is asked.
 */
export type Verdict = Principal | Refusal | 'notMine';

/** Recognises one kind of credential, for example static tokens, JWTs or the headers of an authenticating proxy. */
export interface CredentialVerifier {
  /**
   * Called for every upgrade and every guarded HTTP request, also from an address with too many failures: a valid
   * credential always passes. Return `notMine` before any costly work, and compare secrets in constant time.
   *
   * Throw (or reject) when there is no way to decide now, for example because keys cannot be fetched: the request is
   * answered with 503, and nothing counts against its address. A promise that is pending after 10 s counts as that.
   */
  verify(presented: PresentedCredential): Verdict | Promise<Verdict>;
}

/** Marks classes that the explorer finds. */
const VerifierMetadata = DiscoveryService.createDecorator();

/**
 * Makes a provider of any Nest module a verifier of credentials. Verifiers are asked after those of the gateway, in the
 * order in which Nest finds their modules. With one present the gateway is never in open mode.
 */
export function VerifiesCredentials() {
  const decorate = applyDecorators(Injectable(), VerifierMetadata());
  return <C extends new (...args: never[]) => CredentialVerifier>(target: C): void => decorate(target);
}

/** Finds the `@VerifiesCredentials` classes of all modules. */
@Injectable()
export class VerifierExplorer {
  constructor(private readonly discovery: DiscoveryService) {}

  /** Call it once Nest has made all providers, so not from a constructor. */
  list(): readonly CredentialVerifier[] {
    return this.discovery
      .getProviders({ metadataKey: VerifierMetadata.KEY })
      .map(({ instance }) => instance as CredentialVerifier | null)
      .filter((verifier) => verifier !== null);
  }
}
