import { AgentsService } from '../core/agents/agents.service.js';
import { ApprovalsService } from '../core/approvals/approvals.service.js';
import { InProcessBroker } from '../core/broker/in-process-broker.js';
import { SessionRouterService } from '../core/sessions/session-router.service.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { loadSettings } from '../settings.js';
import { DeliveryService } from '../core/delivery/delivery.service.js';
import { LogWriterService } from '../core/delivery/log-writer.service.js';
import { SlowReadersService } from '../core/delivery/slow-readers.service.js';
import { MessageClaimsService } from '../core/queue/message-claims.service.js';
import { QueueRulesService } from '../core/queue/queue-rules.service.js';
import { MessageQueueService } from '../core/queue/message-queue.service.js';
import { QuestionsService } from '../core/questions/questions.service.js';
import { ReplicaIdentity } from '../core/replicas/replica-identity.js';
import { SessionCommandsService } from '../core/sessions/session-commands.service.js';
import { buildSessionSeed } from '../core/sessions/session-key.js';
import type { AcceptedMessage, NewMessage, SessionStore } from '../core/store/index.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import { NoTracing, type Tracing } from '../core/telemetry/tracing.js';
import type { ToolDefinition } from '../core/tools/tool.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';
import type { AgentRuntime } from '../core/turns/agent-runtime.js';
import { JoiningService } from '../core/turns/joining.service.js';
import { InlineMediaSource } from '../core/turns/media-source.js';
import { ReplyService } from '../core/turns/reply.service.js';
import { ToolCallsService } from '../core/turns/tool-calls.service.js';
import { TurnAgentService } from '../core/turns/turn-agent.service.js';
import { TurnMeterService } from '../core/turns/turn-meter.service.js';
import { QuotasService } from '../core/limits/quotas.service.js';
import { TurnFactoryService } from '../core/turns/turn-factory.service.js';
import { TurnMetricsService } from '../core/turns/turn-metrics.service.js';
import { TurnTracesService } from '../core/turns/turn-traces.service.js';
import { TurnRunnerService } from '../core/turns/turn-runner.service.js';
import { BuiltinRuntime } from '../agents/builtin/builtin-runtime.js';
import { aMessage, aPayload } from './factories.js';
import { FakeMetrics } from './fake-metrics.js';
import { FakeReader } from './fake-reader.js';
import { ManualClock } from './manual-clock.js';
import type { StorePorts } from './store/bench.js';
import { selectTestStore, type CreateTestStore, type TestStore } from './test-stores.js';

export interface CoreHarnessOptions {
  /** Defaults to the store that the environment selects, else to a database in memory. */
  readonly store?: CreateTestStore;
  readonly runtime?: (
    clock: ManualClock,
    config: ConfigStoreService,
    agents: AgentsService,
    sessions: SessionStore,
  ) => AgentRuntime;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly tools?: readonly ToolDefinition[];
  readonly clock?: ManualClock;
  readonly tracing?: Tracing;
  /** Another replica of the same gateway, with a store of its own. */
  readonly other?: CoreHarness;
}

/** The control plane without sockets: queue, turns and delivery on any store, with a manual clock. */
export class CoreHarness {
  readonly clock: ManualClock;
  readonly metrics = new FakeMetrics();
  readonly broker: InProcessBroker;
  readonly store: StorePorts;
  readonly config: ConfigStoreService;
  readonly agents: AgentsService;
  readonly delivery: DeliveryService;
  readonly claims: MessageClaimsService;
  readonly quotas: QuotasService;
  readonly queue: MessageQueueService;
  readonly tools: ToolRegistryService;
  readonly router: SessionRouterService;
  readonly approvals: ApprovalsService;
  readonly questions: QuestionsService;
  private readonly turns: TurnRunnerService;
  private readonly testStore: TestStore;

  constructor(options: CoreHarnessOptions = {}) {
    const logs = new SilentLogs();
    const { tracing = new NoTracing() } = options;
    this.clock = options.clock ?? new ManualClock();
    this.broker = new InProcessBroker(this.clock, logs, options.other?.broker);
    const replica = new ReplicaIdentity();
    this.testStore = (options.store ?? selectTestStore())(this.clock, logs, this.metrics);
    this.store = this.testStore.store;
    this.config = new ConfigStoreService(
      loadSettings({ NODE_ENV: 'production' }, options.settings, '/nonexistent'),
      logs,
    );
    this.agents = new AgentsService(this.config);
    const slowReaders = new SlowReadersService(this.clock, this.metrics);
    this.delivery = new DeliveryService(
      this.store,
      this.store,
      this.clock,
      this.broker,
      slowReaders,
      this.config,
      logs,
    );
    const logWriter = new LogWriterService(this.store, this.store, this.delivery, this.clock);
    this.quotas = new QuotasService(this.config, this.store, this.clock, this.metrics, logs);
    this.claims = new MessageClaimsService(this.store, this.store, this.config, this.clock, replica, this.quotas, logs);
    const rules = new QueueRulesService(this.config, this.agents);
    this.queue = new MessageQueueService(this.store, logWriter, this.claims, rules, this.quotas, this.metrics, logs);
    this.tools = new ToolRegistryService(
      this.config,
      { findToolPermissions: () => undefined, isGone: () => false },
      this.clock,
      this.store,
      this.metrics,
      logs,
    );
    this.router = new SessionRouterService(this.store, this.agents);
    this.approvals = new ApprovalsService(
      this.store,
      this.store,
      this.router,
      this.config,
      this.clock,
      this.queue,
      logs,
    );
    this.questions = new QuestionsService(this.queue, this.claims, this.store, this.clock, logs);
    for (const tool of options.tools ?? []) this.tools.register(tool);
    const runtime =
      options.runtime?.(this.clock, this.config, this.agents, this.store) ?? new BuiltinRuntime(this.clock);
    const meter = new TurnMeterService(this.quotas, this.claims, this.clock);
    const agent = new TurnAgentService(
      runtime,
      this.store,
      this.tools,
      new ToolCallsService(this.tools, this.approvals, this.claims, this.questions, meter, this.clock, tracing),
      new JoiningService(this.store, rules, this.clock),
      new InlineMediaSource(),
      meter,
    );
    this.turns = new TurnRunnerService(
      this.claims,
      new TurnFactoryService(this.store, logWriter, this.delivery, this.clock, this.agents, logs),
      new ReplyService(
        new SessionCommandsService(this.store, this.agents),
        agent,
        this.clock,
        this.questions,
        this.tools,
      ),
      this.config,
      this.clock,
      new TurnMetricsService(this.clock, this.metrics),
      new TurnTracesService(tracing, this.clock),
      logs,
    );
  }

  /** Opens the store and starts to run messages. */
  async start(): Promise<this> {
    await this.store.open();
    await this.quotas.start();
    this.startTurns();
    return this;
  }

  /** Runs messages, for the first time or after {@link claims} was drained. */
  startTurns(): void {
    this.claims.start(this.turns);
  }

  /** Simulates a crash: the next owner of the store finds running turns as they were. */
  async crash(): Promise<void> {
    this.claims.stopClaiming();
    await this.store.close();
  }

  /** Releases running turns and closes. */
  async stop(): Promise<void> {
    await this.claims.drain(0, AbortSignal.abort());
    await this.store.close();
    this.testStore.dispose();
  }

  /** Sends a message as `sender` and subscribes `reader`, as the gateway does. */
  async say(
    reader: FakeReader,
    id: string,
    content: string,
    changes: Partial<NewMessage> = {},
  ): Promise<AcceptedMessage> {
    const payload = changes.payload ?? aPayload({ content });
    const session = changes.session ?? buildSessionSeed('default', payload);
    const message = aMessage({
      messageId: id,
      receivedAt: this.clock.now(),
      ...changes,
      session,
      payload,
    });
    const accepted = await this.queue.enqueue(message);
    this.delivery.subscribe(reader, accepted.sessionId, accepted.headSeq);
    return accepted;
  }
}
