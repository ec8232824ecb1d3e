import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Raw } from './raw.js';

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
export class SlackAccounts {
  private readonly accounts = new Map<string, SlackAccount>();

  /** Adds an account. Returns a function that removes it. */
  add(name: string, account: SlackAccount): () => void {
    this.accounts.set(name, account);
    return () => {
      if (this.accounts.get(name) === account) this.accounts.delete(name);
    };
  }

  /** Returns the account of a workspace. */
  findTeam(team: string): SlackAccount | undefined {
    return [...this.accounts.values()].find((account) => account.team === team);
  }

  /** Returns the account to which a delivery was signed; undefined if it was not, or not in the last minutes. */
  findSigned(name: string, { body, timestamp, signature }: SignedBody, now: number): SlackAccount | undefined {
    const account = this.accounts.get(name);
    if (account?.signingSecret === undefined || !/^\d{1,12}$/.test(timestamp)) return undefined;
    if (Math.abs(now - Number(timestamp) * 1_000) > MAX_SIGNATURE_AGE_MS) return undefined;
    return isSame(sign(account.signingSecret, timestamp, body), signature) ? account : undefined;
  }
}

/** A delivery with its headers. */
export interface SignedBody {
  readonly body: Uint8Array;
  /** When it was signed, in Unix seconds. */
  readonly timestamp: string;
  readonly signature: string;
}

/** Returns the signature of a delivery, as Slack makes it. */
export function sign(secret: string, timestamp: string, body: Uint8Array): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`;
}

/** Compares in constant time. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
