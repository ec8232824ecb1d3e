import { Injectable } from '@nestjs/common';
import { AgentRuntime, type AgentEvent, type AgentTurn } from 'openclaw-gateway-nest';

/** Answers by rules in place of a model: who asks for the time gets it from the tool `time.now`. */
@Injectable()
export class RulesRuntime extends AgentRuntime {
  override readonly name = 'rules';

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    if (!/\btime\b/i.test(turn.message.payload.content)) return yield* say(turn, 0, 'Ask me for the time.');
    const call = { tool: 'time.now', parameters: {} };
    // Answer 0 is the request of the call. After a crash it is known, and so is the result.
    if (!turn.recordedAnswer(0)) yield { type: 'answer', answer: { toolCalls: [call] } };
    const outcome = await turn.callTool(0, 0, call);
    yield* say(turn, 1, outcome.ok ? `The clock says ${JSON.stringify(outcome.content)}.` : outcome.message);
  }
}

/** Yields the last answer of a turn, unless an earlier run has recorded it. */
async function* say(turn: AgentTurn, n: number, text: string): AsyncGenerator<AgentEvent> {
  if (turn.recordedAnswer(n) || turn.signal.aborted) return;
  yield { type: 'text', text };
  yield { type: 'answer', answer: { toolCalls: [] }, isLast: true };
}
