import { randomUUID } from 'node:crypto';
import { ConflictException, Injectable } from '@nestjs/common';
import type { Principal } from '../core/identity/principal.js';
import { toSpeaker } from '../core/identity/tenant-scope.js';
import { MessageIntakeService } from '../core/intake/message-intake.service.js';
import { PresenceTrackerService } from '../core/presence/presence-tracker.service.js';
import { MessageQueueService } from '../core/queue/message-queue.service.js';
import { checkChannel } from '../core/sessions/access.js';
import { SessionCommandsService } from '../core/sessions/session-commands.service.js';
import { SessionResources } from '../core/sessions/session-resources.js';
import { SessionRouterService } from '../core/sessions/session-router.service.js';
import {
  AdminStore,
  FrameStore,
  MemoryStore,
  type AcceptedMessage,
  type ErasedCounts,
  type ErasurePosition,
  type MessageWithReply,
  type Session,
} from '../core/store/index.js';
import { Clock } from '../core/time/clock.js';
import { toFrameItem, toHistoryItem, toSessionItem } from './history.js';

/** The client ID of messages that operators send here. */
const CLIENT_ID = 'admin';

/** Time for turns to end before a session or a person is deleted, in milliseconds, and between two looks at them. */
const END_TIMEOUT_MS = 10_000;
const LOOK_INTERVAL_MS = 100;

/** Number of messages that an export reads at a time, and the bytes of frames. */
const PORTION = 20;
const PORTION_BYTES = 262_144;

/** Number of memories of one session that an export has. */
const MAX_MEMORIES = 1_000;

const NOTHING: ErasedCounts = { messages: 0, replies: 0, frames: 0, media: 0, memories: 0 };

/** A line of an export. */
export type ExportRecord = { readonly type: 'session' | 'person' | 'message' | 'frame' | 'memory' } & Readonly<
  Record<string, unknown>
>;

/** The acts of operators on whole sessions and people: writing to them, resetting, exporting and deleting them. */
@Injectable()
export class SessionAdministrationService {
  // oxlint-disable-next-line max-params -- what belongs to a session, each from its own service
  constructor(
    private readonly store: AdminStore,
    private readonly frames: FrameStore,
    private readonly memories: MemoryStore,
    private readonly router: SessionRouterService,
    private readonly commands: SessionCommandsService,
    private readonly intake: MessageIntakeService,
    private readonly queue: MessageQueueService,
    private readonly resources: SessionResources,
    private readonly presence: PresenceTrackerService,
    private readonly clock: Clock,
  ) {}

  /** Sends a message to a session. @throws GatewayError NOT_FOUND and those of `MessageIntakeService.submit` */
  async send(
    caller: Principal,
    sessionId: string,
    { content, id = randomUUID(), sender = caller.principal }: { content: string; id?: string; sender?: string },
  ): Promise<AcceptedMessage> {
    const { channel, tenant } = await this.router.getReadable(caller, sessionId);
    const payload = { channel, sender, content, is_direct_mention: true };
    const queued = await this.intake.submit(
      { principal: toSpeaker(caller, tenant), clientId: CLIENT_ID },
      { id, sessionId, payload },
    );
    return queued.accepted;
  }

  /** Starts a new context in a session. @throws GatewayError NOT_FOUND */
  async reset(caller: Principal, sessionId: string): Promise<void> {
    await this.commands.reset(await this.router.getReadable(caller, sessionId), caller.principal);
  }

  /**
   * Cancels what waits and runs in a session, and deletes it with everything in it.
   * @throws GatewayError NOT_FOUND; ConflictException if a turn has not ended in time
   */
  async delete(caller: Principal, sessionId: string): Promise<void> {
    const { principal } = caller;
    const { tenant } = await this.router.getReadable(caller, sessionId);
    const until = this.clock.elapsed() + END_TIMEOUT_MS;
    for (;;) {
      const outcome = await this.store.deleteSession(tenant, sessionId, principal);
      if (outcome === 'gone') return this.resources.end(sessionId);
      if (outcome === 'more') continue;
      await this.queue.cancel({ by: 'session', tenant, sessionId }, principal);
      await this.waitForTurns(until);
    }
  }

  /**
   * Erases what a person has left on a channel. Nothing happens to a person that is not known.
   * @throws GatewayError FORBIDDEN; ConflictException if a turn has not ended in time
   */
  async erase(caller: Principal, channel: string, sender: string): Promise<ErasedCounts> {
    const { tenant, principal } = caller;
    checkChannel(caller, channel);
    const until = this.clock.elapsed() + END_TIMEOUT_MS;
    let erased = NOTHING;
    let after: ErasurePosition | undefined;
    for (;;) {
      const outcome = await this.store.erasePerson({ tenant, channel, sender, after, erased, actor: principal });
      erased = outcome.erased;
      for (const messageRef of outcome.unfinished)
        await this.queue.cancel({ by: 'ref', tenant, messageRef }, principal);
      if (outcome.unfinished.length > 0) await this.waitForTurns(until);
      // From the beginning of the session: those that were not finished come again.
      else after = outcome.next;
      if (outcome.unfinished.length > 0 && outcome.next) after = { session: outcome.next.session, ord: 0 };
      if (!outcome.next) break;
    }
    this.presence.forget(tenant, channel, sender);
    return erased;
  }

  /** Reads a session with its messages and frames, oldest first. */
  async *exportSession(session: Session): AsyncIterable<ExportRecord> {
    yield { type: 'session', ...toSessionItem(session) };
    for await (const message of this.readMessages(session.id)) yield toMessageRecord(session.id, message);
    yield* this.readMemories(session);
    for (let after = 0; ;) {
      const page = await this.frames.readFrames(session.id, after, PORTION, PORTION_BYTES);
      for (const frame of page.frames) yield { ...toFrameItem(frame), type: 'frame', frame_type: frame.type };
      const last = page.frames.at(-1);
      if (!last) return;
      after = last.seq;
    }
  }

  /** Reads what a person has said on a channel with the replies to it, and the memories of its direct chats. */
  async *exportPerson({ tenant }: Principal, channel: string, sender: string): AsyncIterable<ExportRecord> {
    yield { type: 'person', channel, sender };
    for await (const session of this.readSessions(tenant, channel, sender)) {
      yield { type: 'session', ...toSessionItem(session) };
      for await (const message of this.readMessages(session.id))
        if (message.payload.sender === sender) yield toMessageRecord(session.id, message);
      if (session.mode === 'main') yield* this.readMemories(session);
    }
  }

  private async *readSessions(tenant: string, channel: string, sender: string): AsyncIterable<Session> {
    const query = { tenant, channels: [channel], participant: sender, order: 'created', limit: PORTION } as const;
    let page = await this.store.listSessions(query);
    for (;;) {
      yield* page.items;
      if (!page.next) return;
      page = await this.store.listSessions({ ...query, after: page.next });
    }
  }

  private async *readMessages(sessionId: string): AsyncIterable<MessageWithReply> {
    let after: string | undefined;
    for (;;) {
      const messages = await this.store.readForward(sessionId, PORTION, after);
      yield* messages;
      after = messages.at(-1)?.messageRef;
      if (after === undefined) return;
    }
  }

  private async *readMemories({ id, tenant }: Session): AsyncIterable<ExportRecord> {
    const memories = await this.memories.searchMemories({
      tenant,
      collections: [id],
      words: [],
      limit: MAX_MEMORIES,
    });
    for (const { text, createdAt } of memories) yield { type: 'memory', session_id: id, text, created_at: createdAt };
  }

  /** Waits a little. @throws ConflictException after `until`, by the monotonic clock */
  private async waitForTurns(until: number): Promise<void> {
    if (this.clock.elapsed() >= until)
      throw new ConflictException('A turn was cancelled and has not ended yet; try again in a few seconds');
    await this.clock.sleep(LOOK_INTERVAL_MS);
  }
}

function toMessageRecord(sessionId: string, message: MessageWithReply): ExportRecord {
  const blocks = message.reply?.blocks ?? [];
  return { type: 'message', session_id: sessionId, ...toHistoryItem({ message, blocks }) };
}
