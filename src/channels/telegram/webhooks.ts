import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { isSameSecret } from '../../core/channels/kit/same-secret.js';
import { RunningAccounts } from '../platform/running-accounts.js';

/** A bot to which Telegram delivers updates. */
export interface WebhookTarget {
  readonly secret: string;
  /** Resolves when the update is stored or ignored. */
  take(update: object): Promise<void>;
}

/** The bots of this process whose updates Telegram delivers, by account. */
@Injectable()
export class TelegramWebhooks extends RunningAccounts<WebhookTarget> {
  /** Returns the bot of an account; undefined if the secret is not its own, or no such bot runs here. */
  findBySecret(account: string, secret: string): WebhookTarget | undefined {
    const target = this.get(account);
    return target && isSameSecret(target.secret, secret) ? target : undefined;
  }
}

/** Returns the secret by which Telegram shows that a delivery is its own: always the same for a token, which it hides. */
export function secretOf(token: string): string {
  return createHmac('sha256', token).update('webhook').digest('hex');
}
