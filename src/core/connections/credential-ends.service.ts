import { Injectable } from '@nestjs/common';
import { LiveCredentialsService } from '../identity/live-credentials.service.js';
import { ConnectionManagerService } from './connection-manager.service.js';
import type { Connection } from './connection.js';

/** Closes a connection when its credential ends. */
@Injectable()
export class CredentialEndsService {
  /** By connection id, of those whose credential can end. */
  private readonly releases = new Map<string, () => void>();

  constructor(
    connections: ConnectionManagerService,
    private readonly live: LiveCredentialsService,
  ) {
    connections.onRegister((connection) => this.watch(connection));
    connections.onRemove(({ id }) => {
      this.releases.get(id)?.();
      this.releases.delete(id);
    });
  }

  private watch(connection: Connection): void {
    const release = this.live.watch(connection.principal, () => connection.close('unauthorized'));
    if (release) this.releases.set(connection.id, release);
  }
}
