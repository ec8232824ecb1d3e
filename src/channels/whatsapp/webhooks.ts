import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Static, TObject } from 'typebox';
import { isSameSecret } from '../../core/channels/kit/same-secret.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { RunningAccounts } from '../platform/running-accounts.js';
import { listChanges, type Change } from './events.js';
import { whatsappSettings, type WhatsappSettings } from './whatsapp.settings.js';

/** An account that runs in this process: takes the changes of its number. Resolves when they are stored or ignored. */
export type TakeChange = (change: Change) => Promise<void>;

/**
 * The outcome of a delivery. `forged`: the signature is not that of the account. `absent`: an account that it is for
 * does not run here at the moment.
 */
export type DeliveryOutcome = 'stored' | 'forged' | 'malformed' | 'absent';

/** Takes what the platform delivers for the accounts of this gateway. */
@Injectable()
export class WhatsappWebhooks extends RunningAccounts<TakeChange> {
  private readonly log: Log;

  constructor(
    private readonly config: ConfigStoreService,
    logs: Logs,
  ) {
    super();
    this.log = logs.for('channels');
  }

  /** Returns whether a token is the one that the account expects in the handshake. */
  knowsToken(account: string, token: string): boolean {
    const settings = this.settingsOf(account);
    return settings !== undefined && isSameSecret(settings.verify_token, token);
  }

  /**
   * Takes a delivery: its changes one after the other, each by the account of its number. When this rejects, or the account
   * is absent, the platform must deliver all of it again, which is harmless.
   * @param account the account of the URL: by its secret the delivery is signed
   * @param signature the header `X-Hub-Signature-256`
   */
  async deliver(account: string, signature: string, body: Uint8Array): Promise<DeliveryOutcome> {
    const secret = this.settingsOf(account)?.app_secret;
    if (secret === undefined || !isSameSecret(sign(secret, body), signature)) return 'forged';
    const delivery = parse(body);
    if (delivery === undefined) return 'malformed';
    for (const change of listChanges(delivery)) {
      const name = this.findAccount(change.phoneNumberId, secret);
      if (name === undefined) {
        const fields = { phone_number_id: change.phoneNumberId, field: change.field };
        this.log.warn(fields, 'no account of the channel whatsapp has this phone number');
        continue;
      }
      const take = this.get(name);
      if (!take) return 'absent';
      await take(change);
    }
    return 'stored';
  }

  /** One app may have several numbers, and one URL. What is signed by one app is not for the numbers of another. */
  private findAccount(phoneNumberId: string, secret: string): string | undefined {
    return whatsappSettings.listAccounts(this.config).find((name) => {
      const settings = this.settingsOf(name);
      return settings?.phone_number_id === phoneNumberId && settings.app_secret === secret;
    });
  }

  private settingsOf(account: string): Static<TObject<WhatsappSettings>> | undefined {
    if (!whatsappSettings.listAccounts(this.config).includes(account)) return undefined;
    // They are checked when the settings are loaded.
    return whatsappSettings.read(this.config, account).own as Static<TObject<WhatsappSettings>>;
  }
}

/** Returns the signature of a delivery, as in the header `X-Hub-Signature-256`. */
export function sign(secret: string, body: Uint8Array): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

function parse(body: Uint8Array): object | undefined {
  try {
    const parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
