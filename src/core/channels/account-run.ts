import type { IncomingMessage, Reaction } from '../intake/message-intake.service.js';
import type { AccountLease, ChannelStore, OutboxPart } from '../store/index.js';
import type { Log } from '../telemetry/logs.js';
import type { Clock } from '../time/clock.js';
import { AccountPace } from './account-pace.js';
import type { AccountValues, CommonAccountSettings } from './account-settings.js';
import {
  DriverError,
  type Capabilities,
  type ChannelLink,
  type Driver,
  type Place,
  type RecentChat,
  type Target,
  type Update,
} from './driver.js';
import { Admission, type Admitting } from './inbound/admission.js';
import { CallsUnderWay } from './calls-under-way.js';
import type { ChannelGateway, GatewayLine, KnownMessages, LineEvent } from './channel-gateway.js';
import { callExtension, leaveExtension } from '../lifecycle/extension-guard.js';
import { toFault } from './kit/faults.js';
import { Inbox, type Receiver } from './inbound/inbox.js';
import { LateFailures } from './outbound/late-failures.js';
import { MovedChats } from './inbound/moved-chats.js';
import { Outbox, type OutboxOwner } from './outbound/outbox.js';
import { Persistence } from './persistence.js';
import { PlatformClock } from './kit/platform-clock.js';
import type { PartOutcome, RunContext } from './run-context.js';
import { Senders } from './inbound/senders.js';

/** Time limits of a driver's start and stop, in milliseconds. */
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 5_000;
/** Time for calls under way at the end of a run, in milliseconds. */
const SETTLE_TIMEOUT_MS = 3_000;

/** Chats that a driver reads on in after a start: those used last. */
const MAX_CAUGHT_UP = 500;

/** The parts that all runs of an account share. */
export interface AccountParts extends Pick<RunContext, 'traceDelivery'> {
  /** The channel as declared, without the account. */
  readonly name: string;
  readonly account: string;
  /** The account by its name in messages. */
  readonly channel: string;
  readonly store: ChannelStore;
  readonly gateway: ChannelGateway;
  readonly clock: Clock;
  readonly log: Log;
  readSettings(): AccountValues;
  /** Returns the text of a failure without secrets. */
  hideSecrets(text: string): string;
  count(outcome: PartOutcome): void;
  /** Called when the platform has handed over something. */
  noteReceived(count: number): void;
  /** Called when a person who has written gets no code. */
  noteTurnedAway(): void;
  /** Called when a reply does not reach the platform, because it refuses the place. */
  noteLost(reason: string): void;
}

/** A driver for one run. */
export interface MadeDriver {
  readonly driver: Driver;
  readonly capabilities: Capabilities;
}

/**
 * One run of an account, from its lease to its end: a driver between the platform and a connection to the gateway. It keeps
 * in memory nothing that the next run needs.
 */
export class AccountRun implements Receiver, OutboxOwner, Admitting {
  readonly channel: string;
  readonly driver: Driver;
  readonly capabilities: Capabilities;
  readonly store: ChannelStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly persistence: Persistence;
  readonly moved: MovedChats;
  readonly senders: Senders;
  readonly failures: LateFailures;
  readonly pace: AccountPace;
  readonly calls = new CallsUnderWay();
  readonly signal: AbortSignal;
  private readonly ending = new AbortController();
  private readonly failure = Promise.withResolvers<unknown>();
  private readonly inbox: Inbox;
  private readonly outbox: Outbox;
  private readonly admission: Admission;
  readonly count = (outcome: PartOutcome) => this.parts.count(outcome);
  readonly traceDelivery = (messageRef: string) => this.parts.traceDelivery?.(messageRef);
  readonly noteTurnedAway = () => this.parts.noteTurnedAway();
  readonly noteLost = (reason: string) => this.parts.noteLost(reason);
  readonly hideSecrets = (text: string) => this.parts.hideSecrets(text);
  /** Set before anything of the platform is taken. */
  private line: GatewayLine | undefined;
  private requests = 0;
  /** Requests to read sessions again. Without them replies would be left out for good. */
  private readonly rereads = new Set<string>();
  private readonly platformClock: PlatformClock;
  private trouble: string | undefined;

  constructor(
    private readonly parts: AccountParts,
    { driver, capabilities }: MadeDriver,
    readonly lease: AccountLease,
    private readonly onHealth: (trouble: string | undefined) => void,
  ) {
    this.channel = parts.channel;
    this.driver = driver;
    this.capabilities = capabilities;
    this.store = parts.store;
    this.clock = parts.clock;
    this.platformClock = new PlatformClock(parts.clock);
    this.log = parts.log;
    this.signal = this.ending.signal;
    this.persistence = new Persistence(parts.clock, parts.log, this.signal);
    this.moved = new MovedChats(parts.store, lease, this.persistence);
    this.senders = new Senders(parts.store, lease, this.persistence);
    this.failures = new LateFailures(this);
    this.pace = new AccountPace(parts.clock, this.signal, capabilities.editsPerMinute);
    this.inbox = new Inbox(this);
    this.outbox = new Outbox(this);
    this.admission = new Admission(this);
  }

  get settings(): CommonAccountSettings {
    return this.parts.readSettings().common;
  }

  get platformTime(): number {
    return this.platformClock.now();
  }

  /** Resolves with the error that ended the run. */
  get failed(): Promise<unknown> {
    return this.failure.promise;
  }

  /**
   * Loads what an earlier run has left, and connects to the platform.
   * @param intake aborts when nothing new may be taken from the platform
   * @throws DriverError; what the store throws
   */
  async start(intake: AbortSignal): Promise<void> {
    await this.moved.load();
    await this.senders.load();
    await this.inbox.load();
    await this.outbox.load();
    await this.connect();
    this.report('connecting');
    this.connection.resume(this.nextRequest());
    await this.withinTime(() => this.driver.start(this.makeLink(), intake), START_TIMEOUT_MS).catch(
      (error: unknown) => {
        throw toFault(error);
      },
    );
    this.inbox.start();
    this.outbox.start();
  }

  private async connect(): Promise<void> {
    const { gateway, name, account } = this.parts;
    const { channel, signal } = this;
    const take = (event: LineEvent | { readonly kind: string }) => this.take(event as LineEvent);
    const onClose = (reason: string) => this.fail(new Error(`the gateway has closed the connection: ${reason}`));
    const line = await gateway.connect({ name, account, channel, signal, take, onClose });
    this.line = line;
    if (!signal.aborted) return;
    line.connection.end();
    signal.throwIfAborted();
  }

  private get connection(): GatewayLine['connection'] {
    return this.getLine().connection;
  }

  private getLine(): GatewayLine {
    if (!this.line) throw new Error('the account is not connected to the gateway');
    return this.line;
  }

  addNote(note: OutboxPart): Promise<void> {
    return this.outbox.addNote(note);
  }

  /** Sends a note that is stored. */
  sendNote(note: OutboxPart): void {
    this.outbox.sendNote(note);
  }

  /** Resolves when every reply that has begun is delivered, or when the run ends. */
  whenDelivered(): Promise<void> {
    return this.outbox.whenIdle();
  }

  /** Ends the run, once the outcomes of its calls are stored, and disconnects from the platform. Never rejects. */
  async end(): Promise<void> {
    this.ending.abort();
    this.line?.connection.end();
    const patience = new AbortController();
    await Promise.race([this.calls.whenDone(), this.clock.sleep(SETTLE_TIMEOUT_MS, patience.signal)]);
    patience.abort();
    try {
      await this.withinTime(() => this.driver.stop(), STOP_TIMEOUT_MS);
    } catch (error) {
      this.log.warn({ error, channel: this.channel }, 'a driver could not be stopped');
    }
  }

  /** Reports the state of the connection to the platform to the gateway. */
  report(status: 'connecting' | 'connected'): void {
    this.connection.reportChannel(this.nextRequest(), { channel: this.channel, status });
  }

  fail(error: unknown): void {
    if (this.signal.aborted) this.log.debug({ channel: this.channel, error }, 'an error of a run that has ended');
    this.failure.resolve(error);
  }

  forgetSender(sender: string): void {
    this.admission.forget(sender);
  }

  admit(update: Update): Promise<Update | undefined> {
    return this.admission.admit(update);
  }

  react(id: string, reaction: Reaction): Promise<void> {
    return this.connection.react(id, reaction);
  }

  findWaiting(messageId: string): string | undefined {
    return this.outbox.findWaiting(messageId);
  }

  submit(message: IncomingMessage): void {
    this.connection.submit(message);
  }

  onAccepted(messageRef: string, place: Place | undefined, waitsAs?: string): void {
    this.outbox.notePlace(messageRef, place, waitsAs);
  }

  findTarget(sessionId: string): Promise<Target | KnownMessages | undefined> {
    return this.getLine().findTarget(sessionId);
  }

  confirm(sessionId: string, seq: number): void {
    this.connection.confirm(this.nextRequest(), sessionId, seq);
  }

  /** @throws DriverError when a call of the driver takes too long */
  private async withinTime(call: () => Promise<void>, limitMs: number): Promise<void> {
    const patience = new AbortController();
    const late = this.clock.sleep(limitMs, patience.signal).then(() => 'late' as const);
    const outcome = await Promise.race([callExtension(this, call), late]).finally(() => patience.abort());
    if (outcome === 'late') throw new DriverError('unreachable', `the driver needs more than ${limitMs / 1_000} s`);
  }

  private async receive(updates: readonly Update[]): Promise<void> {
    await this.inbox.receive(updates);
    if (updates.length > 0) this.parts.noteReceived(updates.length);
  }

  private async listChats(): Promise<readonly RecentChat[]> {
    await this.persistence.write(() => this.store.openGaps(this.lease));
    const chats = await this.store.listChats(this.channel, MAX_CAUGHT_UP);
    return chats.map(({ place, sentAt, missingSince }) => ({
      place: JSON.parse(place) as Place,
      sentAt,
      since: Math.max(this.answersSince, missingSince),
    }));
  }

  private get answersSince(): number {
    return this.platformTime - this.settings.max_age_ms;
  }

  resume(sessionId: string, seq: number): void {
    const id = this.nextRequest();
    this.rereads.add(id);
    this.connection.resume(id, [{ sessionId, seq }]);
  }

  private makeLink(): ChannelLink {
    const { channel, log } = this;
    const { account } = this.parts;
    const readMention = () => this.settings.require_mention;
    const readAge = () => this.answersSince;
    return {
      channel,
      account,
      settings: this.parts.readSettings().own,
      get requiresMention() {
        return readMention();
      },
      log,
      receive: leaveExtension((updates: readonly Update[]) => this.receive(updates)),
      listChats: leaveExtension(() => this.listChats()),
      get answersSince() {
        return readAge();
      },
      admits: (who) => this.admission.admits(who),
      listPeople: leaveExtension(() => this.admission.listPeople()),
      closeGap: leaveExtension((chat: string) => this.persistence.write(() => this.store.closeGap(this.lease, chat))),
      takesPart: leaveExtension(
        async ({ chat, thread }: Place) =>
          thread !== undefined && this.persistence.read(() => this.store.takesPart(this.channel, chat, thread)),
      ),
      noteTime: (platformTime) => this.noteTime(platformTime),
      degrade: (reason) => {
        this.trouble = reason;
        this.reportHealth();
      },
      fail: leaveExtension((error: unknown) => this.fail(toFault(error))),
      moveChat: leaveExtension((from: string, to: string) => this.moved.move(from, to)),
      joinSenders: leaveExtension(async (ids: readonly [string, ...string[]]) => void (await this.senders.join(ids))),
      noteTyping: leaveExtension((sender: string) => this.noteTyping(sender)),
      reportFailed: leaveExtension((ref: string, reason: string) => this.failures.report(ref, reason)),
      keepFile: leaveExtension((body: AsyncIterable<Uint8Array>) => this.getLine().files.keep(body)),
      openFile: leaveExtension((source: string) => this.getLine().files.open(source)),
    };
  }

  private noteTyping(sender: string): void {
    if (!this.admission.admits({ sender })) return;
    const userId = this.senders.firstOf(sender);
    this.connection.updatePresence(this.nextRequest(), { channel: this.channel, userId, status: 'typing' });
  }

  private noteTime(platformTime: number): void {
    this.platformClock.note(platformTime);
    this.reportHealth();
  }

  private reportHealth(): void {
    this.onHealth(this.platformClock.describe() ?? this.trouble);
  }

  private take(event: LineEvent): void {
    switch (event.kind) {
      case 'accepted':
        return this.inbox.take(event);
      case 'refused':
        if (event.requestId !== undefined && this.rereads.delete(event.requestId)) return this.fail(event.error);
        return this.inbox.take(event);
      case 'resumed':
        this.rereads.delete(event.requestId);
        return this.outbox.takeResumed(event.sessionId);
      case 'frames':
        return this.outbox.take(event.frames);
      case 'delta':
        return this.outbox.takeDelta(event);
      default:
    }
  }

  /** IDs of requests other than messages; no message has one. */
  private nextRequest(): string {
    return `run:${++this.requests}`;
  }
}
