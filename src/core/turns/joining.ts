import type { ConfigStoreService } from '../config/config-store.service.js';
import { findBusyPolicy } from '../queue/busy-policy.js';
import { parseCommand } from '../sessions/activation.js';
import { endOf, type Claim, type JoinWrite, type Session, type StoredMessage, type TurnStore } from '../store/index.js';
import type { Clock } from '../time/clock.js';
import type { TurnJournal } from './turn-journal.js';
import type { TurnWriter } from './turn-writer.js';

/** What joining a turn uses. */
export interface JoiningParts {
  readonly store: TurnStore;
  readonly config: ConfigStoreService;
  readonly clock: Clock;
  readonly journal: TurnJournal;
  readonly writer: TurnWriter;
}

/**
 * Messages that join a running turn (`queue.busy_policy` steer and collect). Each ends as `merged` in the same commit in
 * which the turn's journal gets what it says: a crash leaves it waiting or part of the turn, never neither.
 */
export class Joining {
  constructor(
    private readonly parts: JoiningParts,
    private readonly claim: Claim,
    private readonly session: Session,
    private readonly stop: AbortSignal,
  ) {}

  /** Whether messages may join for as long as the turn runs. */
  get isSteered(): boolean {
    return findBusyPolicy(this.parts.config, this.session) === 'steer';
  }

  /** The messages that have joined before answer number `n`; those that wait join now, where the settings say so. */
  async take(n: number): Promise<readonly StoredMessage[]> {
    const { journal, store, writer } = this.parts;
    while (this.isOpen(n)) {
      const joining = this.choose(await store.listWaiting(this.session.id));
      if (joining.length === 0) break;
      const entry = { kind: 'joined', body: { before: n, messages: joining } } as const;
      const write = this.buildWrite(joining);
      // Somebody may have cancelled one of them meanwhile: then look again.
      if (await writer.join({ ...write, journal: [journal.draft(entry)] })) journal.record(entry);
    }
    return journal.joinedBefore(n);
  }

  private isOpen(n: number): boolean {
    if (this.stop.aborted || this.parts.journal.recordedAnswers.length > n) return false;
    return this.isSteered || (n === 0 && findBusyPolicy(this.parts.config, this.session) === 'collect');
  }

  /**
   * Those at the front of the line that may be part of this turn: a command is none of the agent's, and what another
   * principal wrote must not be done with this one's permissions. Nobody overtakes one that has to wait.
   */
  private choose(waiting: readonly StoredMessage[]): readonly StoredMessage[] {
    const { principal } = this.claim.message.client;
    const end = waiting.findIndex(
      ({ client, payload }) => client.principal !== principal || parseCommand(payload.content) !== undefined,
    );
    return end === -1 ? waiting : waiting.slice(0, end);
  }

  private buildWrite(joining: readonly StoredMessage[]): Omit<JoinWrite, 'journal'> {
    const mergedInto = this.claim.message.messageRef;
    const now = this.parts.clock.now();
    const ends = joining.map((message) => ({
      message,
      end: endOf(message, { reason: 'merged', mergedInto }, [], now),
    }));
    return {
      frames: ends.map(({ end }) => end.frame),
      ended: ends.map(({ message, end }) => ({ messageRef: message.messageRef, reply: end.reply })),
    };
  }
}
