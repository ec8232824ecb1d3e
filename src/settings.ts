import { join } from 'node:path';
import { exposureSettings, haveVerifier } from './auth/exposure.js';
import type { LocalTokenPlace } from './auth/local-token.js';
import {
  findValues,
  loadSections,
  readInput,
  type LoadedSettings,
  type SettingsInput,
} from './core/config/load-settings.js';
import type { Environment, SettingsOf } from './core/config/section.js';
import { SettingsSchema } from './core/config/settings-schema.js';
import { findSections } from './core/config/use-settings.js';
import { loadTeamModules, type NestModules } from './load-team-modules.js';
import { moduleSettings, SECTIONS } from './sections.js';
import { findStoreFolder, hasStoreFile } from './stores/store-engines.js';
import { storeSettings } from './stores/store.settings.js';

declare module './core/config/section.js' {
  interface Settings extends SettingsOf<(typeof SECTIONS)[number]> {}
}

/**
 * Returns the settings of the gateway and those that `modules` declare with `@UseSettings`. Without a verifier of
 * credentials in `modules`, listening beyond loopback requires a configured token.
 * @throws SettingsError if two parts declare the same setting
 */
export function composeSettings(modules: NestModules = []): SettingsSchema {
  const rules = haveVerifier(modules) ? [] : [exposureSettings];
  return new SettingsSchema([...SECTIONS, ...findSections(modules), ...rules]);
}

/**
 * Loads the settings from defaults, the file, the environment and `overrides`; later ones take precedence.
 * @param overrides values by dotted key, for example from the command line
 * @param folder the folder of `config.yaml` and `.env`
 * @param modules the modules that are passed to `GatewayModule.forRoot`. Only `loadSettingsAndModules` loads those that
 * the setting `modules` names
 * @throws SettingsError with every fault
 */
export function loadSettings(
  environment: Environment,
  overrides: Readonly<Record<string, unknown>> = {},
  folder = process.cwd(),
  modules: NestModules = [],
): LoadedSettings {
  return loadSections(composeSettings(modules), readInput(environment, overrides, folder));
}

/**
 * Loads the modules that the setting `modules` names, and then the settings of the gateway and of all modules.
 * @param own modules that are already loaded; they come first in the result
 * @throws SettingsError with every fault; Error when a module cannot be loaded
 */
export async function loadSettingsAndModules(
  environment: Environment,
  overrides: Readonly<Record<string, unknown>>,
  own: NestModules = [],
): Promise<{ readonly settings: LoadedSettings; readonly modules: NestModules }> {
  const input = readInput(environment, overrides, process.cwd());
  const modules = [...own, ...(await loadTeamModules(listTeamModules(input)))];
  return { settings: loadSections(composeSettings(modules), input), modules };
}

/** Returns whether the setting `modules` names any, without loading them. */
export function namesTeamModules(environment: Environment, folder = process.cwd()): boolean {
  return listTeamModules(readInput(environment, {}, folder)).length > 0;
}

/** Returns the URL of the store, also where other settings have faults or are those of a team's modules. */
export function findStoreUrl(environment: Environment, folder = process.cwd()): string | undefined {
  const { values } = findValues(new SettingsSchema([storeSettings]), readInput(environment, {}, folder));
  return values.get('store.url') as string | undefined;
}

/** Returns where a gateway in open mode keeps its local token: beside the file of the store, if it has one. */
export function findLocalTokenPlace(storeUrl: string): LocalTokenPlace {
  return { path: join(findStoreFolder(storeUrl), 'local.token'), isOwn: hasStoreFile(storeUrl) };
}

/** Returns the usual path of the unix socket for Tailscale Serve: beside the store. */
export function findTailscaleSocket(storeUrl: string): string {
  return join(findStoreFolder(storeUrl), 'tailscale.sock');
}

/** Reads the setting `modules` alone. Returns an empty list if it has a fault, which the complete load reports. */
function listTeamModules(input: SettingsInput): readonly string[] {
  const { values } = findValues(new SettingsSchema([moduleSettings]), input);
  return (values.get('modules') ?? []) as readonly string[];
}
