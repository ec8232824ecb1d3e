import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import type { Principal } from '../identity/principal.js';
import { PresenceTrackerService, type PresenceState } from '../presence/presence-tracker.service.js';
import { ConnectionManagerService } from './connection-manager.service.js';

/** Sends changes of presence to the operators of the same tenant that asked for them, on the channels they are bound to. */
@Injectable()
export class PresenceNoticesService {
  constructor(
    private readonly presence: PresenceTrackerService,
    private readonly connections: ConnectionManagerService,
  ) {}

  @StartStep({ name: 'send presence to operators', phase: 'register', undoneIn: 'refuse' })
  start(): Undo {
    return this.presence.onChange((state) => this.notify(state));
  }

  private notify(state: PresenceState): void {
    const event = { kind: 'presence', state } as const;
    for (const connection of this.connections.list()) {
      const { principal, wantsPresence } = connection;
      if (wantsPresence && principal.role === 'operator' && mayWatch(principal, state)) connection.send(event);
    }
  }
}

function mayWatch({ tenant, channels }: Principal, state: PresenceState): boolean {
  return tenant === state.tenant && (channels === undefined || channels.includes(state.channel));
}
