import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { isSameSecret } from '../../core/channels/kit/same-secret.js';
import type { Raw } from '../../core/channels/kit/raw.js';
import { RunningAccounts } from '../platform/running-accounts.js';

/** Deliveries that were signed longer ago, or later, are refused, in milliseconds. */
const MAX_SIGNATURE_AGE_MS = 300_000;

/** An account that runs in this process. */
export interface SlackAccount {
  /** The workspace or organisation that has installed the app. */
  readonly team: string;
  /** For accounts to which Slack delivers over HTTP. */
  readonly signingSecret: string | undefined;
  /** Resolves when an event is stored or ignored. */
  take(envelope: Raw): Promise<void>;
}

/** The accounts of this process: over HTTP they are found by their names, on a shared connection by their workspaces. */
@Injectable()
export class SlackAccounts extends RunningAccounts<SlackAccount> {
  /** Returns whether a delivery may be signed to an account, in the last minutes: only then is its body read. */
  expects(name: string, { timestamp, signature }: Signature, now: number): boolean {
    if (this.get(name)?.signingSecret === undefined) return false;
    if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
    return Math.abs(now - Number(timestamp) * 1_000) <= MAX_SIGNATURE_AGE_MS;
  }

  /** Returns the account to which a delivery was signed; undefined if it was not, or not in the last minutes. */
  findSigned(name: string, signed: Signature, body: Uint8Array, now: number): SlackAccount | undefined {
    const account = this.get(name);
    const { timestamp, signature } = signed;
    if (account?.signingSecret === undefined || !this.expects(name, signed, now)) return undefined;
    return isSameSecret(sign(account.signingSecret, timestamp, body), signature) ? account : undefined;
  }
}

/** The signature of a delivery, from its headers. */
export interface Signature {
  /** When it was signed, in Unix seconds. */
  readonly timestamp: string;
  readonly signature: string;
}

/** Returns the signature of a delivery, as Slack makes it. */
export function sign(secret: string, timestamp: string, body: Uint8Array): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`;
}
