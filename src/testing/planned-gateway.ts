import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOCAL_OPERATOR, type Principal } from '../core/identity/principal.js';
import { AgentRuntime, type AgentEvent, type AgentTurn, type RequestedCall } from '../core/turns/agent-runtime.js';
import { AgentsAskTool } from '../tools/agents-ask.tool.js';
import { CoreHarness } from './core-harness.js';
import { aPayload } from './factories.js';
import type { FakeReader } from './fake-reader.js';
import { storeAt } from './test-stores.js';

/** The work of one turn: it says something at once, when the test lets it, or after a call. */
export type Plan =
  | 'hello'
  | 'held'
  | { readonly pay: number; readonly times?: number }
  | { readonly ask: string; readonly plan: Plan };

/** Works as the messages say, and counts the turns that work. A turn does not work during its calls. */
export class PlannedRuntime extends AgentRuntime {
  override readonly name = 'planned';
  readonly held: PromiseWithResolvers<void>[] = [];
  /** Contents of the messages whose turns have done their work, in order. */
  readonly done: string[] = [];
  peak = 0;
  private working = 0;

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    const { content } = turn.message.payload;
    const plan = JSON.parse(content) as Plan;
    let outcome: unknown = plan;
    await this.work();
    if (plan === 'held') {
      const gate = Promise.withResolvers<void>();
      this.held.push(gate);
      await gate.promise;
    } else if (plan !== 'hello') {
      const calls = callsFor(plan);
      if (!turn.recordedAnswer(0)) yield { type: 'answer', answer: { toolCalls: calls } };
      this.working--;
      outcome = await Promise.all(calls.map((call, i) => turn.callTool(0, i, call)));
      if (turn.signal.aborted) return;
      await this.work();
    }
    this.done.push(content);
    yield { type: 'piece', piece: { blockType: 'text', text: JSON.stringify(outcome), ends: true } };
    this.working--;
  }

  private async work(): Promise<void> {
    this.peak = Math.max(this.peak, ++this.working);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function callsFor(plan: Exclude<Plan, string>): readonly RequestedCall[] {
  if ('pay' in plan) return Array.from({ length: plan.times ?? 1 }, () => ({ tool: 'test.pay', parameters: plan }));
  return [{ tool: 'agents.ask', parameters: { agent: plan.ask, message: JSON.stringify(plan.plan) } }];
}

/** An approval as a reader sees it. */
export interface ShownApproval {
  readonly approval_id: string;
  readonly arguments_sha256: string;
}

/** Plan of nested questions, of which the last agent calls a tool that needs an approval. */
export const NESTED: Plan = { ask: 'ops', plan: { ask: 'cid', plan: { pay: 5 } } };

/**
 * A gateway with one place, whose agents `main`, `ops` and `cid` do what the messages say. They have `agents.ask`, and
 * `test.pay`, which needs an approval. It can be opened again after a crash.
 */
export class PlannedGateway {
  harness!: CoreHarness;
  runtime!: PlannedRuntime;
  /** IDs of the calls of `test.pay` that have started. */
  readonly paid: string[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'questions-'));

  /** Opens the store, for the first time or after a crash. */
  async open(settings: Record<string, unknown> = {}, { starts = true } = {}): Promise<CoreHarness> {
    const runtime = new PlannedRuntime();
    const harness = new CoreHarness({
      store: storeAt(`sqlite:${join(this.folder, 'gateway.db')}`),
      settings: {
        'agent.concurrency': 1,
        'tools.default_permissions': ['agents'],
        agents: { ops: {}, cid: {} },
        ...settings,
      },
      runtime: () => runtime,
    });
    this.registerTools(harness);
    this.harness = harness;
    this.runtime = runtime;
    if (starts) await harness.start();
    else await harness.store.open();
    return harness;
  }

  /** Stops the gateway and removes its store. */
  async end(): Promise<void> {
    await this.harness.stop();
    rmSync(this.folder, { recursive: true });
  }

  /** Sends a plan as the message `sender` of `sender`. */
  say(reader: FakeReader, sender: string, plan: Plan): ReturnType<CoreHarness['say']> {
    return this.harness.say(reader, sender, '', { payload: aPayload({ sender, content: JSON.stringify(plan) }) });
  }

  /** Resolves with `done`, or with the code of the error. */
  decide(shown: ShownApproval, decision: 'allow' | 'deny', by: Principal = LOCAL_OPERATOR): Promise<string> {
    return this.harness.approvals.decide(by, shown.approval_id, decision, shown.arguments_sha256).then(
      () => 'done',
      ({ code }: { code: string }) => code,
    );
  }

  /** Returns the states of the newest messages of a session. */
  async statesOf(sessionId: string): Promise<readonly string[]> {
    return (await this.harness.store.readHistory(sessionId, 9)).messages.map(({ status }) => status);
  }

  /** Returns the ID of the session of the questions of a session to an agent. */
  askedBy(sessionId: string, agent: string): string {
    const { questions, agents } = this.harness;
    return questions.sessionOf({ id: sessionId, tenant: 'default' } as never, agents.get(agent)).id;
  }

  private registerTools({ agents, questions, tools }: CoreHarness): void {
    const base = { description: 'For tests.', parameters: {}, timeoutMs: 1_000_000, sandbox: false };
    const ask = new AgentsAskTool(agents, questions, tools);
    tools.register({
      ...base,
      name: 'agents.ask',
      permissions: ['agents'],
      idempotent: true,
      requiresApproval: false,
      isWaiting: true,
      handler: (parameters, context) => ask.execute(parameters as never, context),
    });
    tools.register({
      ...base,
      name: 'test.pay',
      permissions: [],
      idempotent: false,
      requiresApproval: true,
      handler: (_parameters, { callId }) => void this.paid.push(callId),
    });
  }
}

/** Resolves with the approval of the first call that waits for one. */
export async function untilShown(reader: FakeReader): Promise<ShownApproval> {
  const frame = await reader.waitFor(({ payload }) => payload['status'] === 'awaiting_approval');
  return frame.payload['approval'] as ShownApproval;
}

/** Returns what was sent about the calls of a tool. */
export function callsOf(reader: FakeReader, tool: string): readonly Record<string, unknown>[] {
  return reader.frames
    .filter(({ type, payload }) => type === 'tool_status' && payload['tool'] === tool)
    .map(({ payload }) => payload);
}
