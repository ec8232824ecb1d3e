import 'reflect-metadata';
import { applyDecorators, Injectable, type Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { TProperties } from 'typebox';
import { UseSettings } from '../config/use-settings.js';
import { defineAccountSettings, type AccountSettings } from './account-settings.js';
import type { Capabilities, Driver } from './driver.js';

/** Options of `@ChannelDriver`. */
export interface ChannelDriverOptions<P extends TProperties = TProperties> {
  /** The channel, as in messages: `telegram`. It has no `.`. */
  readonly name: string;
  /**
   * The settings of an account besides those that all channels have, by their name below `channels.NAME`. The channel runs
   * when those without a default are set. A part of the gateway defines them beside its class, because the settings are
   * loaded before any class is.
   */
  readonly settings: P | AccountSettings<P>;
  readonly capabilities: Capabilities;
}

type DriverClass<P extends TProperties = TProperties> = new (...args: never[]) => Driver<P>;

/** A driver whose code is loaded. */
export interface LoadedDriver {
  readonly type: DriverClass;
  readonly capabilities: Capabilities;
}

/** A driver with its settings declared. Its code may be loaded later. */
export interface DriverDescription {
  readonly name: string;
  readonly settings: AccountSettings;
  load(): Promise<LoadedDriver>;
}

/** Marks classes for the manager. */
export const DriverMetadata = DiscoveryService.createDecorator<DriverDescription>();

/**
 * Makes a provider of any Nest module the driver of a channel:
 * `@ChannelDriver({ name: 'acme', settings: { token: secret() }, capabilities: {...} })`.
 */
export function ChannelDriver<P extends TProperties>({ name, settings, capabilities }: ChannelDriverOptions<P>) {
  const accountSettings = isDefined(settings) ? settings : defineAccountSettings(name, settings);
  const decorate = applyDecorators(Injectable(), UseSettings(accountSettings.section));
  return <C extends DriverClass<P>>(target: C): void => {
    decorate(target);
    const loaded = { type: target as DriverClass, capabilities };
    DriverMetadata({ name, settings: accountSettings, load: async () => loaded })(target);
  };
}

/**
 * Returns a provider for a class with `@ChannelDriver` that is loaded when its channel is configured, so that other starts
 * do not load its code.
 * @param load imports the class
 */
export function loadedLater<P extends TProperties>(
  name: string,
  settings: AccountSettings<P>,
  load: () => Promise<DriverClass<P>>,
): Type {
  const later = { [name]: class {} }[name] as Type;
  const metadata = {
    name,
    settings,
    load: async () => {
      const description = Reflect.getMetadata(DriverMetadata.KEY, await load()) as DriverDescription;
      return description.load();
    },
  };
  applyDecorators(Injectable(), UseSettings(settings.section), DriverMetadata(metadata))(later);
  return later;
}

function isDefined<P extends TProperties>(settings: P | AccountSettings<P>): settings is AccountSettings<P> {
  return typeof settings['listAccounts'] === 'function';
}
