import { Injectable } from '@nestjs/common';
import type { TSchema } from 'typebox';
import { GatewayError } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { SettingFault, SettingsReader } from '../config/section.js';
import { listSecrets } from '../config/secrets.js';
import { parseText } from '../config/setting-values.js';
import { Clock } from '../time/clock.js';
import { DEFAULT_ACCOUNT } from './account-settings.js';
import { ChannelManagerService } from './channel-manager.service.js';
import { hideInFailure } from './failure-text.js';
import { callExtension } from '../lifecycle/extension-guard.js';
import { DeliveryError, DriverError, type CheckedAccount, type Driver } from './driver.js';

/** Time limit of a check, in milliseconds. */
const CHECK_TIMEOUT_MS = 20_000;

/** An account to be added, or to get other settings. */
export interface NewAccount {
  /** The channel as declared, without the account. */
  readonly channel: string;
  readonly account: string;
  /** By their names below `channels.NAME`. A text for a setting of another type is read as in the environment. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface DriverSetting {
  readonly key: string;
  readonly description: string;
  readonly isRequired: boolean;
  readonly isSecret: boolean;
  readonly default?: unknown;
}

/** The outcome of {@link ChannelSetupService.add}. */
export interface AddedAccount {
  /** The account by its name in messages. */
  readonly channel: string;
  /** Undefined if it was not checked. */
  readonly checked: CheckedAccount | undefined;
  /** Keys of settings that the command line overrides: they are in force after a start without it. */
  readonly needsRestart: readonly string[];
}

/** Adds accounts of channels: checks their settings with the platform and writes them. The manager starts them. */
@Injectable()
export class ChannelSetupService {
  constructor(
    private readonly channels: ChannelManagerService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
  ) {}

  /** Returns the settings of a driver, those that are required first. @throws GatewayError NOT_FOUND */
  describe(channel: string): readonly DriverSetting[] {
    const { own, required } = this.channels.getDriver(channel).description.settings;
    const settings = Object.entries(own).map(([key, schema]) => {
      const { description = '', default: fallback, 'x-secret': secret } = schema as AnnotatedSchema;
      const isRequired = required.includes(key);
      return {
        key,
        description,
        isRequired,
        isSecret: secret === true,
        ...(fallback !== undefined && { default: fallback }),
      };
    });
    return settings.toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired));
  }

  /** Returns the changes of settings that add an account. @throws GatewayError NOT_FOUND */
  listChanges({ channel, account, settings: given }: NewAccount): Readonly<Record<string, unknown>> {
    const { section } = this.channels.getDriver(channel).description.settings;
    const properties: Readonly<Record<string, TSchema>> = section.properties;
    const prefix = `channels.${channel}.`;
    const settings = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, readValue(value, properties[prefix + key])]),
    );
    if (account === DEFAULT_ACCOUNT)
      return Object.fromEntries(Object.entries(settings).map(([key, value]) => [prefix + key, value]));
    const accounts = this.config.preview({})(`${prefix}accounts` as never) as Readonly<Record<string, object>>;
    return { [`${prefix}accounts`]: { ...accounts, [account]: { ...accounts[account], ...settings } } };
  }

  /**
   * Checks the settings of an account and writes them. With `isUnchecked` the platform is not asked.
   * @param actor the principal, for the audit trail
   * @param permit as in `ConfigStoreService.change`
   * @throws GatewayError NOT_FOUND; INVALID_PAYLOAD with what the settings or the platform refuse; what `permit` throws
   */
  async add(
    account: NewAccount,
    actor: string,
    permit: (before: SettingsReader, after: SettingsReader) => void,
    isUnchecked = false,
  ): Promise<AddedAccount> {
    const changes = this.listChanges(account);
    const { version } = this.config;
    this.refuse(this.config.findFaults(changes), account);
    permit(this.config.preview({}), this.config.preview(changes));
    const checked = isUnchecked ? undefined : await this.check(account, this.config.preview(changes));
    const outcome = await this.config.change(version, changes, actor, permit);
    if (outcome.kind === 'invalid') this.refuse(outcome.faults, account);
    if (outcome.kind !== 'changed')
      throw invalid('/settings', 'the settings of the gateway have changed meanwhile; try again');
    await this.channels.whenAsConfigured();
    const { channel, account: name } = account;
    const known = name === DEFAULT_ACCOUNT ? channel : `${channel}.${name}`;
    return { channel: known, checked, needsRestart: outcome.needsRestart };
  }

  /**
   * Asks the platform of an account that is configured, whether or not it runs. Resolves with undefined if the driver cannot.
   * @param channel the account by its name in messages
   * @throws GatewayError NOT_FOUND; INVALID_PAYLOAD with what the platform refuses
   */
  checkAgain(channel: string): Promise<CheckedAccount | undefined> {
    const { driver, name } = this.channels.find(channel);
    return this.check({ channel: driver.description.name, account: name }, this.config.preview({}));
  }

  /** Asks the platform. Undefined if the driver cannot. */
  private async check(
    { channel, account }: Omit<NewAccount, 'settings'>,
    after: SettingsReader,
  ): Promise<CheckedAccount | undefined> {
    const { description, create } = this.channels.getDriver(channel);
    const { own } = description.settings.read({ get: (key) => after(key) }, account);
    const { driver } = await create();
    if (!driver.check) return undefined;
    try {
      return await this.callInTime(() => (driver as Required<Driver>).check(own as never));
    } catch (error) {
      if (!(error instanceof DriverError || error instanceof DeliveryError)) throw error;
      // A new account is not in the settings.
      const given = listSecrets({ properties: description.settings.own }, [own]);
      throw invalid('/settings', hideInFailure(error.message, [...this.config.listSecrets(), ...given]));
    }
  }

  private async callInTime<T>(call: () => Promise<T>): Promise<T> {
    const patience = new AbortController();
    const late = this.clock.sleep(CHECK_TIMEOUT_MS, patience.signal).then(() => {
      if (!patience.signal.aborted) throw new DriverError('unreachable', 'the platform has not responded in time');
      return undefined as never;
    });
    const thrown = Promise.withResolvers<never>();
    const result = callExtension({ fail: thrown.reject }, call);
    return Promise.race([result, late, thrown.promise]).finally(() => patience.abort());
  }

  private refuse(faults: readonly SettingFault[], { channel, account }: NewAccount): void {
    if (faults.length === 0) return;
    const prefixes = [`channels.${channel}.accounts.${account}.`, `channels.${channel}.`];
    const pointerOf = (key: string) => `/settings/${prefixes.reduce((name, prefix) => name.replace(prefix, ''), key)}`;
    throw new GatewayError('INVALID_PAYLOAD', {
      faults: faults.map(({ key, message }) => ({ pointer: pointerOf(key), message })),
    });
  }
}

type AnnotatedSchema = TSchema & {
  readonly description?: string;
  readonly default?: unknown;
  readonly 'x-secret'?: boolean;
};

/** Reads a text by the schema of its setting: people type all values as texts. One that does not fit stays a text, and is refused later. */
function readValue(value: unknown, schema: TSchema | undefined): unknown {
  if (typeof value !== 'string' || !schema) return value;
  try {
    return parseText({ schema }, value);
  } catch {
    return value;
  }
}

function invalid(pointer: string, message: string): GatewayError<'INVALID_PAYLOAD'> {
  return new GatewayError('INVALID_PAYLOAD', { faults: [{ pointer, message }] });
}
