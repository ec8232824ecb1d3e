import { bindEach, type Counter, type Histogram, type Metric, type Metrics } from '../telemetry/metrics.js';
import { TOOL_ERROR_CODES, type ToolErrorCode } from './tool.js';

/** The label of a call of a tool that is not registered: its name may be anything. */
const UNKNOWN = 'unknown';

type Outcome = 'ok' | ToolErrorCode;

interface ToolInstruments {
  readonly outcomes: Readonly<Record<Outcome, Counter>>;
  readonly seconds: Histogram;
}

/** Counts and measures the calls of each tool. */
export class ToolMetrics {
  private readonly calls: Metric<'tool' | 'outcome', Counter>;
  private readonly seconds: Metric<'tool', Histogram>;
  private readonly byTool = new Map<string, ToolInstruments>();
  private readonly unknown: ToolInstruments;

  constructor(metrics: Metrics) {
    this.calls = metrics.counter({
      name: 'openclaw_tool_calls_total',
      help: 'Calls of tools that were executed, by outcome: ok, or the error code.',
      labels: ['tool', 'outcome'],
    });
    this.seconds = metrics.histogram({
      name: 'openclaw_tool_call_seconds',
      help: 'Duration of the calls of a tool, with the wait for a free slot.',
      labels: ['tool'],
      buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    });
    this.unknown = this.bind(UNKNOWN);
  }

  /** Makes the series of a tool, so that its first failure is an increase. */
  prepare(tool: string): void {
    if (!this.byTool.has(tool)) this.byTool.set(tool, this.bind(tool));
  }

  /** Forgets a tool that no longer exists; its series stay. */
  forget(tool: string): void {
    this.byTool.delete(tool);
  }

  /** Notes a call that has ended. */
  note(tool: string, outcome: Outcome, seconds: number): void {
    const instruments = this.byTool.get(tool) ?? this.unknown;
    instruments.outcomes[outcome].add();
    instruments.seconds.observe(seconds);
  }

  private bind(tool: string): ToolInstruments {
    const ofTool = { with: ({ outcome }: { outcome: string }) => this.calls.with({ tool, outcome }) };
    return {
      outcomes: bindEach(ofTool, 'outcome', ['ok', ...TOOL_ERROR_CODES]),
      seconds: this.seconds.with({ tool }),
    };
  }
}
