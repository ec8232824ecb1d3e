import { randomUUID } from 'node:crypto';
import { Injectable, type Type } from '@nestjs/common';
import { DiscoveryService, ModuleRef } from '@nestjs/core';
import { GatewayError } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { SettingKey } from '../config/section.js';
import { DEFAULT_TENANT } from '../identity/principal.js';
import { StartStep, StopStep, type Undo } from '../lifecycle/steps.js';
import { ReplicaIdentity } from '../replicas/replica-identity.js';
import {
  ChannelStore,
  QueueStore,
  type AdmittedSender,
  type DeadLetter,
  type DeadLetterQuery,
  type OutboxPart,
  type PairingRequest,
} from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { bindEach, Metrics, type Counter, type Metric } from '../telemetry/metrics.js';
import { Tracing, type Span } from '../telemetry/tracing.js';
import { Clock } from '../time/clock.js';
import type { MadeDriver } from './account-run.js';
import { DEFAULT_ACCOUNT } from './account-settings.js';
import { ChannelAccount, type AccountState } from './channel-account.js';
import { ChannelGateway } from './channel-gateway.js';
import { hideInFailure } from './failure-text.js';
import { DriverMetadata, type DriverDescription } from './channel-driver.decorator.js';
import type { Driver } from './driver.js';
import { makeNote } from './note.js';
import { PART_OUTCOMES, type PartOutcome } from './run-context.js';

/** Time that a test message has to reach the platform, and pause between two looks at it, in milliseconds. */
const TEST_MS = 15_000;
const TEST_LOOK_MS = 200;

/** Time limit of the stop of all channels, in milliseconds. */
const STOP_MS = 10_000;

/** Senders that are listed at most. */
const MAX_LISTED = 10_000;

/** A provider with a driver. */
export interface FoundDriver {
  readonly description: DriverDescription;
  readonly className: string;
  /** Loads the class if need be, and makes an instance. */
  readonly create: () => Promise<MadeDriver>;
}

/** An account with the settings of its driver that it was started with, as JSON. */
export interface RunningAccount {
  readonly account: ChannelAccount;
  readonly driver: FoundDriver;
  readonly name: string;
  readonly own: string;
}

/** When a channel was last used since the start of the gateway, in Unix milliseconds. */
export interface ChannelActivity {
  lastInAt?: number;
  lastOutAt?: number;
  /** Number of messages of people who got no code, because too many wait. */
  turnedAway?: number;
  /** Number of replies whose place the platform has refused, and the newest reason. */
  lostReplies?: number;
  lostReason?: string;
}

/** Finds the drivers of all modules, and starts, supervises and stops the accounts that are configured. */
@Injectable()
export class ChannelManagerService {
  private readonly log: Log;
  private readonly parts: Metric<'channel' | 'outcome', Counter>;
  private readonly received: Metric<'channel', Counter>;
  private drivers: readonly FoundDriver[] = [];
  /** By their names in messages. */
  private readonly accounts = new Map<string, RunningAccount>();
  /** True between the start and the stop of the channels. */
  private isRunning = false;
  /** The chain of the changes of accounts. */
  private changes: Promise<unknown> = Promise.resolve();
  private isDue = false;
  private readonly activities = new Map<string, ChannelActivity>();

  // oxlint-disable-next-line max-params -- what an account needs, each from its own service
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly config: ConfigStoreService,
    private readonly store: ChannelStore,
    private readonly gateway: ChannelGateway,
    private readonly replica: ReplicaIdentity,
    private readonly clock: Clock,
    private readonly messages: QueueStore,
    private readonly tracing: Tracing,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('channels');
    this.parts = metrics.counter({
      name: 'openclaw_channel_parts_total',
      help: 'Messages sent to platforms, by outcome: sent, possibly_twice (sent again in doubt), dead (given up).',
      labels: ['channel', 'outcome'],
    });
    this.received = metrics.counter({
      name: 'openclaw_channel_received_total',
      help: 'What platforms have handed over, by channel.',
      labels: ['channel'],
    });
  }

  /** The states of the accounts that run here, by their names in messages. */
  get states(): ReadonlyMap<string, AccountState> {
    return new Map([...this.accounts].map(([channel, { account }]) => [channel, account.state]));
  }

  /** Returns the accounts that run here by which people cannot reach the agent, by their names in messages. */
  listBroken(): readonly string[] {
    return [...this.accounts].flatMap(([channel, { account }]) => (account.isBroken ? [channel] : []));
  }

  /** When the accounts that run here were last used, by their names in messages. */
  get activity(): ReadonlyMap<string, ChannelActivity> {
    return this.activities;
  }

  /** Stops an account until it is started again, or the gateway is. @throws GatewayError NOT_FOUND */
  async stopChannel(channel: string): Promise<void> {
    await this.get(channel).stop();
  }

  /** Starts an account that was stopped. One that runs stays as it is. @throws GatewayError NOT_FOUND, DRAINING */
  startChannel(channel: string): void {
    const { account, driver, name } = this.find(channel);
    if (!this.isRunning) throw new GatewayError('DRAINING', {});
    if (account.isStopped) this.startAccount(driver, name);
  }

  /** Returns the driver of a channel, without the account. @throws GatewayError NOT_FOUND */
  getDriver(name: string): FoundDriver {
    const driver = this.drivers.find(({ description }) => description.name === name);
    if (!driver) {
      const names = this.drivers.map(({ description }) => description.name).toSorted();
      throw new GatewayError('NOT_FOUND', { what: `driver for the channel ${name}: there are ${names.join(', ')}` });
    }
    return driver;
  }

  /** Resolves when the accounts are those of the current settings. */
  async whenAsConfigured(): Promise<void> {
    if (this.isDue) await this.applySettings();
    await this.changes;
  }

  /**
   * Sends a test message to a chat, and waits for its fate for a while.
   * @throws GatewayError NOT_FOUND
   */
  async sendTest(channel: string, chat: string): Promise<Pick<OutboxPart, 'state' | 'reason'>> {
    const account = this.get(channel);
    const note = makeNote(`test:${randomUUID()}`, { chat }, 'This is a test message.', this.clock.now());
    if (!(await account.addNote(note))) return { state: 'waiting', reason: 'the channel is not connected' };
    const end = this.clock.elapsed() + TEST_MS;
    for (;;) {
      const [part = note] = await this.store.listParts(channel, note.replyTo);
      if (part.state === 'sent' || part.state === 'dead' || this.clock.elapsed() >= end) return part;
      await this.clock.sleep(TEST_LOOK_MS);
    }
  }

  /**
   * Lists the senders who wait to be let in, oldest first.
   * @throws GatewayError NOT_FOUND when no such channel runs here
   */
  listPairings(channel: string): Promise<readonly PairingRequest[]> {
    this.check(channel);
    return this.store.listPairings(channel);
  }

  /**
   * Lets in the sender who was given a code, in any case.
   * @throws GatewayError NOT_FOUND when no such channel runs here, or no such code waits
   */
  async approvePairing(channel: string, code: string, actor: string): Promise<PairingRequest> {
    this.check(channel);
    const request = await this.store.approvePairing(channel, code.toUpperCase(), actor);
    if (!request) throw new GatewayError('NOT_FOUND', { what: `code ${code}` });
    return request;
  }

  /** Lists the senders who were let in, the newest first. @throws GatewayError NOT_FOUND */
  async listAdmitted(channel: string): Promise<readonly AdmittedSender[]> {
    this.check(channel);
    return this.store.listAdmitted(channel, MAX_LISTED);
  }

  /**
   * Puts out a sender who was let in, or who waits for it: what they write later reaches no agent, two seconds later also where
   * another replica runs the channel.
   * @throws GatewayError NOT_FOUND
   */
  async revokePairing(channel: string, sender: string, actor: string): Promise<void> {
    this.check(channel);
    if (!(await this.store.revokePairing(channel, sender, actor)))
      throw new GatewayError('NOT_FOUND', { what: `sender ${sender}` });
    this.get(channel).forgetSender(sender);
  }

  /** Lists parts of replies that were given up, newest first. */
  listDeadLetters(query: DeadLetterQuery): Promise<readonly DeadLetter[]> {
    return this.store.listDeadLetters(query);
  }

  /** Counts the dead letters of each channel that has some. */
  countDeadLetters(): Promise<Readonly<Record<string, number>>> {
    return this.store.countDeadLetters();
  }

  /** Sends a dead letter again, as a message of its own. @throws GatewayError NOT_FOUND */
  async retryDeadLetter(id: number, actor: string): Promise<DeadLetter> {
    const letter = await this.store.retryDeadLetter(id, actor);
    if (!letter) throw new GatewayError('NOT_FOUND', { what: `dead letter ${id}` });
    this.accounts.get(letter.channel)?.account.sendNote(letter);
    return letter;
  }

  /** Deletes a dead letter. @throws GatewayError NOT_FOUND */
  async discardDeadLetter(id: number, actor: string): Promise<void> {
    if (!(await this.store.discardDeadLetter(id, actor)))
      throw new GatewayError('NOT_FOUND', { what: `dead letter ${id}` });
  }

  private check(channel: string): void {
    this.get(channel);
  }

  private get(channel: string): ChannelAccount {
    return this.find(channel).account;
  }

  /** Returns an account with its driver, by its name in messages. @throws GatewayError NOT_FOUND */
  find(channel: string): RunningAccount {
    const found = this.accounts.get(channel);
    if (!found) throw new GatewayError('NOT_FOUND', { what: `channel ${channel}` });
    return found;
  }

  /** @throws Error when two classes declare the same channel */
  @StartStep({ name: 'find channel drivers', phase: 'register' })
  findDrivers(): void {
    this.drivers = this.discovery.getProviders({ metadataKey: DriverMetadata.KEY }).flatMap((wrapper) => {
      const description = this.discovery.getMetadataByDecorator(DriverMetadata, wrapper);
      const { metatype, host } = wrapper;
      const module = host?.getProviderByKey<ModuleRef>(ModuleRef)?.instance;
      if (!description || typeof metatype !== 'function' || !module) return [];
      const create = async () => {
        const { type, capabilities } = await description.load();
        return { driver: await module.create(type as Type<Driver>), capabilities };
      };
      return [{ description, className: metatype.name, create }];
    });
    const owners = new Map<string, string>();
    for (const { description, className } of this.drivers) {
      const earlier = owners.get(description.name);
      if (earlier !== undefined)
        throw new Error(`The channel "${description.name}" is declared twice: by ${earlier} and by ${className}`);
      owners.set(description.name, className);
    }
  }

  /** Starts the configured accounts. They connect in the background: a platform that is down does not delay the start. */
  @StartStep({ name: 'start channels', phase: 'run', undoneWithinMs: STOP_MS })
  start(): Undo {
    this.isRunning = true;
    const unwatch = this.drivers.flatMap(({ description }) =>
      Object.keys(description.settings.section.properties).map((key) =>
        this.config.watch(key as SettingKey, () => this.noteChange()),
      ),
    );
    for (const driver of this.drivers) {
      for (const account of driver.description.settings.listAccounts(this.config)) this.startAccount(driver, account);
    }
    return async () => {
      this.isRunning = false;
      for (const stop of unwatch) stop();
      await this.changes;
      await Promise.all([...this.accounts.values()].map(({ account }) => account.stop()));
    };
  }

  @StopStep({ name: 'take nothing new from channels', phase: 'refuse' })
  stopIntake(): void {
    this.isRunning = false;
    for (const { account } of this.accounts.values()) account.stopIntake();
  }

  /** Settings that change together come one by one. */
  private noteChange(): void {
    if (this.isDue) return;
    this.isDue = true;
    queueMicrotask(() => void this.applySettings());
  }

  /** Makes the accounts those of the settings, after the changes before. Never rejects. */
  private applySettings(): Promise<unknown> {
    this.changes = this.changes.then(() => {
      if (!this.isDue) return undefined;
      this.isDue = false;
      return Promise.all(this.drivers.map((driver) => this.applyTo(driver)));
    });
    return this.changes;
  }

  /** Starts the accounts that are new, stops those that are gone, and starts again those whose settings have changed. */
  private async applyTo(driver: FoundDriver): Promise<void> {
    const { description } = driver;
    const wanted = new Set(description.settings.listAccounts(this.config));
    for (const [channel, running] of this.accounts) {
      if (running.driver !== driver || !this.isRunning) continue;
      const isWanted = wanted.delete(running.name);
      if (isWanted && (running.account.isStopped || this.readOwn(driver, running.name) === running.own)) continue;
      await running.account.stop();
      if (isWanted && this.isRunning) this.startAccount(driver, running.name);
      else if (!isWanted) this.accounts.delete(channel);
    }
    if (this.isRunning) for (const name of wanted) this.startAccount(driver, name);
  }

  private readOwn({ description }: FoundDriver, account: string): string {
    return JSON.stringify(description.settings.read(this.config, account).own);
  }

  private async traceDelivery(channel: string, messageRef: string): Promise<Span> {
    const message = await this.messages
      .findMessage({ by: 'ref', tenant: DEFAULT_TENANT, messageRef })
      .catch(() => undefined);
    return this.tracing.start('deliver', {
      kind: 'client',
      parent: message?.trace,
      attributes: { 'openclaw.channel': channel, 'openclaw.message_ref': messageRef },
    });
  }

  private startAccount(driver: FoundDriver, name: string): void {
    const { description, create } = driver;
    const { settings } = description;
    const channel = name === DEFAULT_ACCOUNT ? description.name : `${description.name}.${name}`;
    const activity = this.activities.get(channel) ?? {};
    this.activities.set(channel, activity);
    const ofChannel = { with: ({ outcome }: { outcome: string }) => this.parts.with({ channel, outcome }) };
    const counted = bindEach(ofChannel, 'outcome', PART_OUTCOMES);
    const received = this.received.with({ channel });
    const parts = {
      name: description.name,
      account: name,
      channel,
      store: this.store,
      gateway: this.gateway,
      clock: this.clock,
      log: this.log,
      readSettings: () => settings.read(this.config, name),
      hideSecrets: (text: string) => hideInFailure(text, this.config.listSecrets()),
      count: (outcome: PartOutcome) => {
        if (outcome === 'sent') activity.lastOutAt = this.clock.now();
        counted[outcome].add();
      },
      ...(this.tracing.isOn && { traceDelivery: (ref: string) => this.traceDelivery(channel, ref) }),
      noteReceived: (count: number) => {
        activity.lastInAt = this.clock.now();
        received.add(count);
      },
      noteTurnedAway: () => void (activity.turnedAway = (activity.turnedAway ?? 0) + 1),
      noteLost: (reason: string) => {
        activity.lostReplies = (activity.lostReplies ?? 0) + 1;
        activity.lostReason = reason;
        counted.dead.add();
      },
    };
    const account = new ChannelAccount(parts, this.replica.id, create);
    this.accounts.set(channel, { account, driver, name, own: this.readOwn(driver, name) });
    account.start();
  }
}
