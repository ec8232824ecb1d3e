import type { ConfigStoreService } from '../core/config/config-store.service.js';
import { createSecretHider } from '../core/config/secrets.js';

/** Secrets beyond those of the settings; the oldest is forgotten first. */
const MAX_ADDED = 1_000;

/**
 * Hides the secrets that the gateway knows wherever they appear in a text: as they are, in JSON, in an address, in base64.
 * Those of the settings are read again after each change.
 */
export class KnownSecrets {
  private readonly added = new Set<string>();
  private config: Pick<ConfigStoreService, 'version' | 'listSecrets'> | undefined;
  private version: number | undefined;
  private hider: ((text: string) => string) | undefined;

  follow(config: Pick<ConfigStoreService, 'version' | 'listSecrets'>): void {
    this.config = config;
    this.hider = undefined;
  }

  add(secret: string): void {
    this.added.add(secret);
    const [oldest] = this.added;
    if (this.added.size > MAX_ADDED && oldest !== undefined) this.added.delete(oldest);
    this.hider = undefined;
  }

  hide(text: string): string {
    if (this.config?.version !== this.version) this.hider = undefined;
    this.hider ??= this.createHider();
    return this.hider(text);
  }

  private createHider(): (text: string) => string {
    this.version = this.config?.version;
    return createSecretHider([...(this.config?.listSecrets() ?? []), ...this.added], false);
  }
}
