import { Injectable } from '@nestjs/common';
import { QuotasService } from '../limits/quotas.service.js';
import { MessageClaimsService } from '../queue/message-claims.service.js';
import { QUESTION_CHANNEL } from '../sessions/question-channel.js';
import type { StepUsage } from '../store/index.js';
import { Clock } from '../time/clock.js';
import type { Answer } from './agent-runtime.js';
import type { Turn } from './turn.js';

/** Estimates for answers of agents without a limit of their own, and for texts, in tokens. */
const USUAL_OUTPUT_TOKENS = 4_096;
const CHARACTERS_PER_TOKEN = 4;

/** Name of a model that an answer does not name. */
const UNKNOWN_MODEL = 'unknown/unknown';

/** Measures what turns use, and holds them to the quotas of their tenants. */
@Injectable()
export class TurnMeterService {
  constructor(
    private readonly quotas: QuotasService,
    private readonly claims: MessageClaimsService,
    private readonly clock: Clock,
  ) {}

  /**
   * Holds back what the next answer may use: what the last one has read and written, or the text of the message, and as much as
   * an answer may have. Waits without a slot while other turns hold back what is left, until `signals.agent` aborts.
   * @throws GatewayError QUOTA_EXCEEDED
   */
  async hold(turn: Turn): Promise<void> {
    const { session, claim, signals } = turn;
    const wait = () => this.quotas.whenReleased(session.tenant, signals.agent);
    while (!this.tryHold(turn) && !signals.agent.aborted)
      await this.claims.waitOutside(claim.lease, signals.agent, wait);
  }

  private tryHold({ session: { tenant, channel }, message, agent, journal }: Turn): boolean {
    if (!this.quotas.isLimited(tenant)) return true;
    const last = journal.recordedAnswers.at(-1)?.usage;
    const input = last
      ? last.input_tokens + last.output_tokens
      : Math.ceil(message.payload.content.length / CHARACTERS_PER_TOKEN);
    const output = agent.maxOutputTokens ?? USUAL_OUTPUT_TOKENS;
    const asked = { messageRef: message.messageRef, isAsked: channel === QUESTION_CHANNEL };
    return this.quotas.hold(tenant, asked, agent.model, { input, output });
  }

  /** Gives back what a turn holds, at its end. */
  release({ session, message }: Turn): void {
    this.quotas.release(session.tenant, message.messageRef);
  }

  /** Counts what an answer has used. Returns what is stored with its step; undefined if its provider does not say. */
  measure({ session, message }: Turn, { usage, cachedTokens = 0 }: Answer): StepUsage | undefined {
    if (!usage) return undefined;
    const { tenant, channel, agent } = session;
    const { input_tokens: inputTokens, output_tokens: outputTokens, model = UNKNOWN_MODEL } = usage;
    const used = { inputTokens, cachedTokens: Math.min(cachedTokens, inputTokens), outputTokens };
    const cost = this.quotas.price(model, used);
    const { sender } = message.payload;
    const step = { tenant, channel, sender, agent, model, at: this.clock.now(), ...used, cost };
    this.quotas.note(step);
    return step;
  }
}
