import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { PresenceTrackerService, type PresenceState } from '../presence/presence-tracker.service.js';
import { isWithinReach } from '../sessions/access.js';
import type { Connection } from './connection.js';
import { ConnectionManagerService } from './connection-manager.service.js';

/** Maximum number of people whose changes wait for one reader. Beyond it the oldest change is dropped. */
export const MAX_DELAYED = 10_000;

/** The newest state of each person, by person, oldest change first. */
type DelayedStates = Map<string, PresenceState>;

/**
 * Sends changes of presence to the operators of the same tenant that asked for them, on the channels they are bound to.
 * A reader that falls behind gets the newest state of each person when it has room again.
 */
@Injectable()
export class PresenceNoticesService {
  private readonly delayed = new Map<Connection, DelayedStates>();

  constructor(
    private readonly presence: PresenceTrackerService,
    private readonly connections: ConnectionManagerService,
  ) {}

  @StartStep({ name: 'send presence to operators', phase: 'register', undoneIn: 'refuse' })
  start(): Undo {
    return this.presence.onChange((state) => this.notify(state));
  }

  private notify(state: PresenceState): void {
    for (const connection of this.connections.listPresenceReaders()) {
      const { principal } = connection;
      if (principal.role === 'operator' && isWithinReach(principal, state)) this.offer(connection, state);
    }
  }

  private offer(connection: Connection, state: PresenceState): void {
    const waiting = this.delayed.get(connection);
    if (waiting) delay(waiting, state);
    else if (hasRoom(connection)) connection.send({ kind: 'presence', state });
    else void this.sendLater(connection, state);
  }

  private async sendLater(connection: Connection, first: PresenceState): Promise<void> {
    const waiting: DelayedStates = new Map();
    delay(waiting, first);
    this.delayed.set(connection, waiting);
    await connection.whenWritable();
    this.delayed.delete(connection);
    // Without room it has ended.
    if (hasRoom(connection)) for (const state of waiting.values()) this.offer(connection, state);
  }
}

function hasRoom({ bufferedBytes, maxBufferedBytes }: Connection): boolean {
  return bufferedBytes <= maxBufferedBytes / 2;
}

function delay(waiting: DelayedStates, state: PresenceState): void {
  const person = JSON.stringify([state.channel, state.userId]);
  waiting.delete(person);
  waiting.set(person, state);
  const [oldest] = waiting.keys();
  if (waiting.size > MAX_DELAYED && oldest !== undefined) waiting.delete(oldest);
}
