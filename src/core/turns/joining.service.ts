import { Injectable } from '@nestjs/common';
import { QueueRulesService } from '../queue/queue-rules.service.js';
import { parseCommand } from '../sessions/activation.js';
import { endOf, TurnStore, type Claim, type JoinWrite, type StoredMessage } from '../store/index.js';
import { Clock } from '../time/clock.js';
import type { TurnSubject } from './agent-runtime.js';
import type { Turn } from './turn.js';

/**
 * Lets waiting messages join a running turn (`queue.busy_policy` steer and collect). Each ends as `merged` in the commit
 * that adds it to the turn's journal: after a crash it either still waits or is part of the turn.
 */
@Injectable()
export class JoiningService {
  constructor(
    private readonly store: TurnStore,
    private readonly rules: QueueRulesService,
    private readonly clock: Clock,
  ) {}

  /** True if waiting messages may join a turn at any time. */
  mayJoin({ session, agent }: TurnSubject): boolean {
    const policy = this.rules.findBusyPolicy(session, agent);
    return policy === 'steer' || policy === 'collect';
  }

  /** True if messages may join as long as the turn runs. */
  isSteered({ session, agent }: Turn): boolean {
    return this.rules.findBusyPolicy(session, agent) === 'steer';
  }

  /**
   * Lets the messages that wait join before answer number `n`, where the settings allow it. Returns all messages that
   * have joined before that answer.
   */
  async join(turn: Turn, n: number): Promise<readonly StoredMessage[]> {
    const { journal, writer, session, agent, claim } = turn;
    while (this.isOpen(turn, n)) {
      const joining = choose(claim, await this.store.listWaiting(session.id), agent.name);
      if (joining.length === 0) break;
      const entry = { kind: 'joined', body: { before: n, messages: joining } } as const;
      const write = buildWrite(claim, joining, this.clock.now());
      // False when one of them was cancelled meanwhile: then list them again.
      if (await writer.join({ ...write, journal: [journal.draft(entry)] })) journal.record(entry);
    }
    return journal.joinedBefore(n);
  }

  private isOpen(turn: Turn, n: number): boolean {
    const { signals, journal } = turn;
    if (signals.stop.aborted || journal.recordedAnswers.length > n) return false;
    return n === 0 ? this.mayJoin(turn) : this.isSteered(turn);
  }
}

/**
 * Returns the messages at the front of the lane that may join. A command is not for the agent, and a message of another
 * principal must not be processed with the permissions of this one. One that supersedes another needs a context of its
 * own. Messages behind one of these wait with it.
 */
function choose({ message }: Claim, waiting: readonly StoredMessage[], agentName: string): readonly StoredMessage[] {
  const { principal } = message.client;
  const end = waiting.findIndex(
    ({ client, payload }) =>
      client.principal !== principal ||
      payload.supersedes !== undefined ||
      parseCommand(payload.content, agentName) !== undefined,
  );
  return end === -1 ? waiting : waiting.slice(0, end);
}

function buildWrite(
  { message: { messageRef: mergedInto } }: Claim,
  joining: readonly StoredMessage[],
  now: number,
): Omit<JoinWrite, 'journal'> {
  const ends = joining.map((message) => ({
    message,
    end: endOf(message, { reason: 'merged', mergedInto }, now),
  }));
  return {
    frames: ends.map(({ end }) => end.frame),
    ended: ends.map(({ message, end }) => ({ messageRef: message.messageRef, reply: end.reply })),
  };
}
