import { Injectable } from '@nestjs/common';
import type { Claim } from '../store/index.js';
import type { Trace } from '../telemetry/traceparent.js';
import { Tracing, type Span } from '../telemetry/tracing.js';
import { Clock } from '../time/clock.js';
import type { RunOutcome } from './turn-metrics.service.js';

/** Makes the spans of turns: the wait in the queue, and each run. */
@Injectable()
export class TurnTracesService {
  constructor(
    private readonly tracing: Tracing,
    private readonly clock: Clock,
  ) {}

  /** Starts the span of a run. A run after a crash is a span of its own, with a link to the message. */
  start({ message, session, attempt }: Claim): Span {
    const { trace, receivedAt } = message;
    const span = this.tracing.start('turn', {
      kind: 'consumer',
      parent: trace,
      ...(attempt > 1 && { link: trace }),
      attributes: {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.agent.name': session.agent,
        'gen_ai.conversation.id': session.id,
        'openclaw.message_ref': message.messageRef,
        'openclaw.attempt': attempt,
      },
    });
    // A message that the gateway has written itself begins no trace; its first run does.
    if (attempt === 1 && this.tracing.isOn) this.traceWait(trace ?? span.trace, receivedAt);
    return span;
  }

  private traceWait(parent: Trace | undefined, receivedAt: number): void {
    this.tracing.start('wait in queue', { parent, startedAt: Math.min(receivedAt, this.clock.now()) }).end();
  }
}

export function endTurnSpan(span: Span, outcome: RunOutcome): void {
  span.set({ 'openclaw.outcome': outcome });
  span.end(outcome === 'error' || outcome === 'given_back' ? outcome : undefined);
}
