import { hash } from 'node:crypto';
import type { ToolCallStatus, Usage } from '../../protocol/domain.js';
import type { Ending, JournalEntry, StoredMessage, TurnRecord } from '../store/index.js';
import type { CallReview, ToolOutcome } from '../tools/tool.js';
import type { Answer, RequestedCall } from './agent-runtime.js';

/** A tool call with its id, which is the same in every run of the turn. */
export interface NamedCall extends RequestedCall {
  readonly callId: string;
}

/** The facts of a finished call besides its outcome. */
export interface EndOfCall {
  /** By default the one that follows from the outcome. */
  readonly status?: ToolCallStatus;
  readonly decided_by?: string | undefined;
  readonly duration_ms?: number;
}

/** The recorded state of a tool call. */
export interface RecordedCall extends CallReview {
  readonly tool: string;
  /** True when the tool may have taken effect: from its intent on or, if it needs an approval, from its recorded start. */
  readonly mayHaveStarted: boolean;
  readonly outcome?: ToolOutcome;
  readonly end?: EndOfCall;
}

type Entry =
  | { readonly kind: 'answer'; readonly body: Answer }
  | {
      readonly kind: 'tool_intent';
      readonly body: Omit<NamedCall, 'parameters'> & CallReview;
    }
  | { readonly kind: 'tool_start'; readonly body: { readonly callId: string } }
  | {
      readonly kind: 'tool_result';
      readonly body: { readonly callId: string; readonly outcome: ToolOutcome; readonly end?: EndOfCall };
    }
  | {
      readonly kind: 'joined';
      readonly body: { readonly before: number; readonly messages: readonly StoredMessage[] };
    };

/**
 * The steps of one turn: model answers, tool calls, messages that joined. Each is recorded before its consequences
 * begin, so that a later run of the turn reuses what is recorded and continues at the first missing step.
 */
export class TurnJournal {
  private readonly answers: Answer[] = [];
  private readonly calls = new Map<string, RecordedCall>();
  private readonly joined = new Map<number, readonly StoredMessage[]>();
  private nextStep = 0;

  constructor(
    private readonly messageRef: string,
    record: Pick<TurnRecord, 'steps'>,
  ) {
    for (const step of record.steps) this.apply({ kind: step.kind, body: JSON.parse(step.body) });
  }

  get recordedAnswers(): readonly Answer[] {
    return this.answers;
  }

  /** The ids of calls that were recorded and never started. */
  get unstartedCalls(): readonly string[] {
    return this.listCalls(({ mayHaveStarted }) => !mayHaveStarted);
  }

  listCalls(matches: (call: RecordedCall) => boolean): readonly string[] {
    return [...this.calls].flatMap(([callId, call]) => (matches(call) ? [callId] : []));
  }

  /** Returns the usage of all recorded answers together; empty when none reports it. */
  sumUsage(): Pick<Ending, 'usage'> {
    const usages = this.answers.flatMap((answer) => answer.usage ?? []);
    if (usages.length === 0) return {};
    const model = usages.findLast((usage) => usage.model !== undefined)?.model;
    const byModel = Map.groupBy(usages, (usage) => usage.model);
    byModel.delete(undefined);
    const parts = [...byModel].map(([name = '', of]) => ({ model: name, ...addUp(of) }));
    return {
      usage: { ...addUp(usages), ...(model !== undefined && { model }), ...(parts.length > 1 && { by_model: parts }) },
    };
  }

  findCall(callId: string): RecordedCall | undefined {
    return this.calls.get(callId);
  }

  /** Returns the messages that joined the turn before answer number `n`. */
  joinedBefore(n: number): readonly StoredMessage[] {
    return this.joined.get(n) ?? [];
  }

  /** Adds a step. Returns its entry, which the caller writes. */
  record(entry: Entry): JournalEntry {
    const row = this.draft(entry);
    this.apply(entry);
    return row;
  }

  /** Returns the entry that {@link record} would return, for a step whose write may fail. */
  draft({ kind, body }: Entry): JournalEntry {
    return { step: this.nextStep, kind, body: JSON.stringify(body) };
  }

  /** Gives call number `index` of answer number `answer` its id. Ids that models choose differ from run to run. */
  nameCall(answer: number, index: number, { tool, parameters }: RequestedCall): NamedCall {
    const digest = hash('sha256', `${this.messageRef}\n${answer}\n${index}`, 'base64url');
    return { callId: `c_${digest.slice(0, 24)}`, tool, parameters };
  }

  private apply(entry: Entry): void {
    this.nextStep++;
    switch (entry.kind) {
      case 'answer':
        this.answers.push(entry.body);
        break;
      case 'tool_intent': {
        const { callId, ...intent } = entry.body;
        this.calls.set(callId, { ...intent, mayHaveStarted: !intent.needsApproval });
        break;
      }
      case 'tool_start':
        this.change(entry.body.callId, { mayHaveStarted: true });
        break;
      case 'joined':
        this.joined.set(entry.body.before, [...this.joinedBefore(entry.body.before), ...entry.body.messages]);
        break;
      case 'tool_result': {
        const { callId, ...result } = entry.body;
        this.change(callId, result);
        break;
      }
    }
  }

  private change(callId: string, change: Partial<RecordedCall>): void {
    const call = this.calls.get(callId);
    if (call) this.calls.set(callId, { ...call, ...change });
  }
}

function addUp(usages: readonly Usage[]): Pick<Usage, 'input_tokens' | 'output_tokens'> {
  return {
    input_tokens: usages.reduce((sum, usage) => sum + usage.input_tokens, 0),
    output_tokens: usages.reduce((sum, usage) => sum + usage.output_tokens, 0),
  };
}
