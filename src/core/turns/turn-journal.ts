import { hash } from 'node:crypto';
import type { JournalEntry, StoredMessage, TurnRecord } from '../store/index.js';
import type { ToolOutcome } from '../tools/tool.js';
import type { Answer, RequestedCall } from './agent-runtime.js';

/** What is known of one tool call of a turn. */
export interface RecordedCall {
  readonly needsApproval: boolean;
  /** Whether the tool may have taken effect: at its intent, or with an approval to wait for at its recorded start. */
  readonly mayHaveStarted: boolean;
  readonly outcome?: ToolOutcome;
}

type Entry =
  | { readonly kind: 'answer'; readonly body: Answer }
  | {
      readonly kind: 'tool_intent';
      readonly body: RequestedCall & { readonly callId: string; readonly needsApproval: boolean };
    }
  | { readonly kind: 'tool_start'; readonly body: { readonly callId: string } }
  | { readonly kind: 'tool_result'; readonly body: { readonly callId: string; readonly outcome: ToolOutcome } }
  | {
      readonly kind: 'joined';
      readonly body: { readonly before: number; readonly messages: readonly StoredMessage[] };
    };

/**
 * The steps of one turn: model answers, tool intents, tool results, messages that joined, each recorded before what follows from it begins. A
 * turn that is taken up again reuses what is recorded and does only the first missing step.
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

  findCall(callId: string): RecordedCall | undefined {
    return this.calls.get(callId);
  }

  /** The messages that joined the turn before answer number `n`. */
  joinedBefore(n: number): readonly StoredMessage[] {
    return this.joined.get(n) ?? [];
  }

  /** Makes the entry of a new step, to be written with what belongs to it. */
  record(entry: Entry): JournalEntry {
    const row = this.draft(entry);
    this.apply(entry);
    return row;
  }

  /** The entry that {@link record} would make, for a step that may not come to be. */
  draft({ kind, body }: Entry): JournalEntry {
    return { step: this.nextStep, kind, body: JSON.stringify(body) };
  }

  /** The name of a call: the same in every run of the turn, never the model's random one. */
  buildCallId(answer: number, index: number): string {
    return `c_${hash('sha256', `${this.messageRef}\n${answer}\n${index}`, 'base64url').slice(0, 24)}`;
  }

  private apply(entry: Entry): void {
    this.nextStep++;
    switch (entry.kind) {
      case 'answer':
        this.answers.push(entry.body);
        break;
      case 'tool_intent': {
        const { callId, needsApproval } = entry.body;
        this.calls.set(callId, { needsApproval, mayHaveStarted: !needsApproval });
        break;
      }
      case 'tool_start':
        this.calls.set(entry.body.callId, { needsApproval: true, mayHaveStarted: true });
        break;
      case 'joined':
        this.joined.set(entry.body.before, [...this.joinedBefore(entry.body.before), ...entry.body.messages]);
        break;
      case 'tool_result':
        this.calls.set(entry.body.callId, { needsApproval: false, mayHaveStarted: true, outcome: entry.body.outcome });
        break;
    }
  }
}
