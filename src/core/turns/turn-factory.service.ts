import { Injectable } from '@nestjs/common';
import type { AgentDefinition } from '../agents/agent-definition.js';
import { AgentsService } from '../agents/agents.service.js';
import { limitAgent } from '../questions/question-limits.js';
import { DeliveryService } from '../delivery/delivery.service.js';
import { LogWriterService } from '../delivery/log-writer.service.js';
import { Slots } from '../delivery/slots.js';
import { TurnStore, type Claim, type TurnRecord } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import type { Trace } from '../telemetry/traceparent.js';
import { Clock } from '../time/clock.js';
import { ImmediateTurn } from './immediate-turn.js';
import { ReplyBuilder } from './reply-builder.js';
import type { RunSignals } from './run-signals.js';
import { findResumePoint } from './standing-blocks.js';
import { TurnJournal } from './turn-journal.js';
import { TurnWriter } from './turn-writer.js';
import { Turn } from './turn.js';

const NOTHING_RECORDED: TurnRecord = { steps: [], frames: [] };

/** Number of interrupted turns that are read at a time: after a crash all of them are, each with all its frames. */
export const MAX_RESUMED = 2;

/** Creates runs of turns. */
@Injectable()
export class TurnFactoryService {
  private readonly log: Log;
  private readonly resumed = new Slots(MAX_RESUMED);

  constructor(
    private readonly store: TurnStore,
    private readonly logWriter: LogWriterService,
    private readonly delivery: DeliveryService,
    private readonly clock: Clock,
    private readonly agents: AgentsService,
    logs: Logs,
  ) {
    this.log = logs.for('agent');
  }

  /** Creates a turn that may end without a run. */
  createImmediate(claim: Claim): ImmediateTurn {
    return new ImmediateTurn(claim, this.findAgent(claim), this.delivery, this.logWriter, this.clock);
  }

  /** Creates a run that continues where earlier runs of the message ended. @throws GatewayError STORE_UNAVAILABLE */
  async create(claim: Claim, signals: RunSignals, trace?: Trace): Promise<Turn> {
    if (claim.attempt === 1) return this.continue(claim, signals, NOTHING_RECORDED, trace);
    const { messageRef } = claim.message;
    return this.resumed.run(async () => this.continue(claim, signals, await this.store.readTurn(messageRef), trace));
  }

  private continue(claim: Claim, signals: RunSignals, record: TurnRecord, trace: Trace | undefined): Turn {
    const { message, session, lease } = claim;
    const { blocks, replacesFromSeq } = findResumePoint(record);
    const journal = new TurnJournal(message.messageRef, record);
    const reply = new ReplyBuilder(claim, this.delivery, this.clock, blocks);
    const lastSeq = Math.max(session.headSeq, record.steps.at(-1)?.headSeq ?? 0);
    const writer = new TurnWriter(lease, lastSeq, this.logWriter, this.clock, this.log, signals.abandon);
    const agent = this.findAgent(claim);
    return new Turn({ claim, agent, signals, journal, reply, writer, replacesFromSeq, trace });
  }

  /** Returns the agent of a turn; that of a question holds no more than who asks. */
  private findAgent({ session, message }: Claim): AgentDefinition | undefined {
    const agent = this.agents.findFor(session.tenant, session.agent);
    return agent && limitAgent(agent, message);
  }
}
