import { applyDecorators, Injectable } from '@nestjs/common';
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

/** The options of a class with `@ChannelDriver`, with its settings declared. */
export interface DriverDescription {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly settings: AccountSettings;
}

/** Marks classes for the manager. */
export const DriverMetadata = DiscoveryService.createDecorator<DriverDescription>();

/**
 * Makes a provider of any Nest module the driver of a channel:
 * `@ChannelDriver({ name: 'acme', settings: { token: secret() }, capabilities: {...} })`.
 */
export function ChannelDriver<P extends TProperties>({ name, settings, capabilities }: ChannelDriverOptions<P>) {
  const accountSettings = isDefined(settings) ? settings : defineAccountSettings(name, settings);
  const decorate = applyDecorators(
    Injectable(),
    UseSettings(accountSettings.section),
    DriverMetadata({ name, capabilities, settings: accountSettings }),
  );
  return <C extends new (...args: never[]) => Driver<P>>(target: C): void => decorate(target);
}

function isDefined<P extends TProperties>(settings: P | AccountSettings<P>): settings is AccountSettings<P> {
  return typeof settings['listAccounts'] === 'function';
}
