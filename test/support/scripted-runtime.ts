import { AgentRuntime, type AgentEvent, type AgentTurn } from '../../src/core/turns/agent-runtime.js';

/** An agent whose output the test controls. */
export class ScriptedRuntime extends AgentRuntime {
  override readonly name = 'scripted';
  private readonly lines: string[] = [];
  private wake = () => {};

  say(line: string): void {
    this.lines.push(line);
    this.wake();
  }

  override async *run({ signal }: AgentTurn): AsyncGenerator<AgentEvent> {
    signal.addEventListener('abort', () => this.wake());
    for (;;) {
      while (this.lines.length === 0 && !signal.aborted) await new Promise<void>((resolve) => (this.wake = resolve));
      const line = this.lines.shift();
      if (line === undefined || line === 'END') break;
      yield { type: 'text', text: line };
    }
    yield { type: 'answer', answer: { toolCalls: [] } };
  }
}
