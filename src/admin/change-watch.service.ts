import { Injectable } from '@nestjs/common';
import { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { DEFAULT_TENANT } from '../core/identity/principal.js';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { NodesService } from '../core/nodes/nodes.service.js';
import { ALL_TENANTS, type DeadLetter } from '../core/store/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import { toDeadLetterDto } from './dead-letters.dto.js';
import type { EventKind } from './event-log.js';
import { LiveEventsService } from './live-events.service.js';

/** Interval between two looks, in milliseconds. */
export const LOOK_INTERVAL_MS = 2_000;

/** Number of the newest dead letters that are compared with those of the look before. */
export const MAX_WATCHED_LETTERS = 200;

/** Turns what changes without a notification into live events: it compares rows with those of its look before. */
@Injectable()
export class ChangeWatchService {
  private readonly log: Log;
  /** The rows that were seen last, as JSON, by kind and name. */
  private readonly seen = new Map<string, string>();
  private letters = new Map<number, DeadLetter>();
  private isLooking = false;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly events: LiveEventsService,
    private readonly channels: ChannelManagerService,
    private readonly nodes: NodesService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  @StartStep({ name: 'watch for changes', phase: 'follow' })
  start(): Undo {
    return this.clock.setRepeating(LOOK_INTERVAL_MS, () => {
      if (this.events.isHeard && !this.isLooking) void this.look(this.events.tenants);
    });
  }

  /**
   * Looks before the first reader of a tenant follows. What changes after that becomes an event, also if it has changed back
   * before the next look is due.
   */
  async prepare(tenant: string): Promise<void> {
    if (!this.events.tenants.includes(tenant)) await this.look([...this.events.tenants, tenant]);
  }

  /** One look at a time, so that each compares with the one before. */
  private look(scopes: readonly string[]): Promise<void> {
    this.last = this.lookAfter(this.last, scopes);
    return this.last;
  }

  private async lookAfter(before: Promise<void>, scopes: readonly string[]): Promise<void> {
    await before;
    this.isLooking = true;
    try {
      await this.lookAtChannels();
      this.note(DEFAULT_TENANT, 'config', '', { version: this.config.version });
      await this.lookAtNodes(scopes);
    } catch (error) {
      this.log.debug({ error }, 'live events could not be looked for');
    } finally {
      this.isLooking = false;
    }
  }

  private async lookAtChannels(): Promise<void> {
    const counts = await this.channels.countDeadLetters();
    for (const [name, { state, reason, since }] of this.channels.states) {
      const row = { name, state, ...(reason !== undefined && { reason }), since, dead_letters: counts[name] ?? 0 };
      this.note(DEFAULT_TENANT, 'channel', name, row);
    }
    const isAny = Object.keys(counts).length > 0 || this.letters.size > 0;
    if (isAny) this.compare(await this.channels.listDeadLetters({ limit: MAX_WATCHED_LETTERS }));
  }

  /** Sends an event for each letter that has come or gone. Letters older than the list reaches are left out. */
  private compare(letters: readonly DeadLetter[]): void {
    const before = this.letters;
    this.letters = new Map(letters.map((letter) => [letter.id, letter]));
    const oldest = letters.length === MAX_WATCHED_LETTERS ? (letters.at(-1)?.id ?? 0) : 0;
    for (const letter of letters.toReversed())
      if (!before.has(letter.id)) this.emitLetter(Object.assign(toDeadLetterDto(letter), { state: 'dead' }));
    for (const [id, { channel }] of before)
      if (id >= oldest && !this.letters.has(id)) this.emitLetter({ id, channel, state: 'gone' });
  }

  private emitLetter(row: object): void {
    this.events.emit(DEFAULT_TENANT, 'dead_letter', () => row);
  }

  private async lookAtNodes(scopes: readonly string[]): Promise<void> {
    // One look at all tenants covers each of them.
    for (const scope of scopes.includes(ALL_TENANTS) ? [ALL_TENANTS] : scopes)
      for (const { node, state } of await this.nodes.list(scope))
        this.note(node.tenant, 'node', node.nodeId, { node_id: node.nodeId, name: node.name, state });
  }

  /** Sends an event if a row has changed. The first look only remembers. */
  private note(tenant: string, kind: EventKind, name: string, row: object): void {
    const key = `${kind} ${name}`;
    const text = JSON.stringify(row);
    const before = this.seen.get(key);
    if (before === text) return;
    this.seen.set(key, text);
    if (before !== undefined) this.events.emit(tenant, kind, () => row);
  }
}
