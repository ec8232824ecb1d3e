import { Injectable } from '@nestjs/common';
import { ROLE_SCOPES } from '../core/identity/principal.js';
import {
  describeClock,
  isSignedBy,
  NODE_CREDENTIAL_PREFIX,
  parseNodeCredential,
  REMEMBER_NONCE_MS,
} from '../core/nodes/node-credential.js';
import { NodeStore } from '../core/store/index.js';
import { Clock } from '../core/time/clock.js';
import type { CredentialVerifier, PresentedCredential, Verdict } from './credential-verifier.js';
import { SignatureChecks } from './signature-checks.js';

/** Recognises paired nodes: each connection has a credential of its own, which the key of the node has signed. */
@Injectable()
export class NodeVerifier implements CredentialVerifier {
  constructor(
    private readonly store: NodeStore,
    private readonly clock: Clock,
    private readonly checks: SignatureChecks,
  ) {}

  verify({ credential, facts }: PresentedCredential): Verdict | Promise<Verdict> {
    if (credential.kind !== 'token' || !credential.token.startsWith(NODE_CREDENTIAL_PREFIX)) return 'notMine';
    return this.decide(credential.token, facts);
  }

  private async decide(token: string, facts: PresentedCredential['facts']): Promise<Verdict> {
    const presented = parseNodeCredential(token);
    if (!presented) return { refused: 'a credential of a node is malformed' };
    const { nodeId, timestamp, nonce } = presented;
    this.checks.take(facts);
    const node = await this.store.findNode(nodeId);
    if (node?.publicKey === undefined || !isSignedBy(node.publicKey, presented, await this.store.readGatewayId()))
      return { refused: `it is not signed by the node ${nodeId}` };
    if (node.revokedAt !== undefined) return { refused: `the node ${nodeId} is revoked`, publicReason: 'Revoked' };
    const now = this.clock.now();
    const clock = describeClock(timestamp, now);
    if (clock !== undefined) return { refused: clock, publicReason: clock, isHarmless: true };
    if (!(await this.store.useNodeNonce(nodeId, nonce, now + REMEMBER_NONCE_MS)))
      return {
        refused: `a credential of the node ${nodeId} was used again`,
        publicReason: 'This credential was used before',
      };
    return {
      tenant: node.tenant,
      principal: `node:${nodeId}`,
      role: 'node',
      scopes: new Set(ROLE_SCOPES.node),
      channels: undefined,
      sender: undefined,
      clientId: nodeId,
    };
  }
}
