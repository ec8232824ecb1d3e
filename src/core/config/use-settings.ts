import 'reflect-metadata';
import { listClasses } from './module-parts.js';
import type { SettingsSection } from './section.js';

/** A string, so that it also works for a module that was compiled against another copy of this file. */
const KEY = 'openclaw:settings';

/**
 * Declares the settings of a class in a team's module: the module itself or a provider. They are loaded, checked,
 * listed and changed like those of the gateway.
 * @example `@UseSettings(diceSettings) @Module({ providers: [DiceTool] }) export class AcmeModule {}`
 */
export function UseSettings(...sections: readonly SettingsSection[]): ClassDecorator {
  return (target) => Reflect.defineMetadata(KEY, sections, target);
}

/** Finds the sections of Nest modules, their imports and their providers. */
export function findSections(modules: readonly unknown[]): SettingsSection[] {
  return listClasses(modules).flatMap(
    (target) => (Reflect.getOwnMetadata(KEY, target) as readonly SettingsSection[] | undefined) ?? [],
  );
}
