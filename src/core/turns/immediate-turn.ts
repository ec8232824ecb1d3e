import type { AgentDefinition } from '../agents/agent-definition.js';
import type { DeliveryService } from '../delivery/delivery.service.js';
import type { DeltaEvent } from '../delivery/frame-reader.js';
import type { LogWriterService } from '../delivery/log-writer.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import type { Claim, Done, WriteOutcome } from '../store/index.js';
import type { Clock } from '../time/clock.js';
import type { Piece } from './agent-runtime.js';
import { ReplyBuilder } from './reply-builder.js';

/**
 * A turn whose whole reply is known: its blocks and its end are built at once and written in one commit. Its frames are
 * those of any other turn. Its deltas are sent after the commit, because a turn that could not be committed is run again.
 */
export class ImmediateTurn {
  constructor(
    readonly claim: Claim,
    readonly agent: AgentDefinition | undefined,
    private readonly delivery: DeliveryService,
    private readonly logWriter: LogWriterService,
    private readonly clock: Clock,
  ) {}

  /** Writes the reply and the end. `done` gets the outcome of the commit. */
  end(pieces: readonly Piece[], done: Done<WriteOutcome>): void {
    const deltas: DeltaEvent[] = [];
    const isHeard = this.delivery.hasDeltaReaders(this.claim.message.sessionId);
    const sink = { publishDelta: (delta: DeltaEvent) => void (isHeard && deltas.push(delta)) };
    const builder = new ReplyBuilder(this.claim, sink, this.clock, []);
    const frames = pieces.flatMap((piece) => builder.take(piece) ?? []);
    failpoint('model.mid_stream');
    failpoint('model.before_journal');
    const { frame, ...reply } = builder.buildEnd({ reason: 'stop' });
    const end = { frames: [...frames, frame], journal: [], status: 'done', ...reply } as const;
    const sendDeltas = () => deltas.forEach((delta) => this.delivery.publishDelta(delta));
    this.logWriter.finishThen(this.claim.lease, end, sendDeltas, done);
  }
}
