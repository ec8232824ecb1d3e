import 'reflect-metadata';
import type { SettingsSection } from './section.js';

/** A string, so that it also works for a module that was compiled against another copy of this file. */
const KEY = 'openclaw:settings';

/** The fields of a Nest module that are searched. */
interface ModuleParts {
  readonly module?: unknown;
  readonly imports?: readonly unknown[];
  readonly providers?: readonly unknown[];
  readonly forwardRef?: () => unknown;
}

/**
 * Declares the settings of a class in a team's module: the module itself or a provider. They are loaded, checked,
 * listed and changed like those of the gateway.
 * @example `@UseSettings(diceSettings) @Module({ providers: [DiceTool] }) export class AcmeModule {}`
 */
export function UseSettings(...sections: readonly SettingsSection[]): ClassDecorator {
  return (target) => Reflect.defineMetadata(KEY, sections, target);
}

/**
 * Finds the sections of Nest modules, their providers and their imports. Modules that are promises are not searched.
 */
export function findSections(modules: readonly unknown[]): SettingsSection[] {
  const sections: SettingsSection[] = [];
  const seen = new Set<unknown>();
  const visit = (target: unknown): void => {
    if (target === null || target === undefined || seen.has(target)) return;
    seen.add(target);
    if (typeof target === 'function') {
      sections.push(...((Reflect.getOwnMetadata(KEY, target) as readonly SettingsSection[] | undefined) ?? []));
      for (const list of ['imports', 'providers']) {
        ((Reflect.getOwnMetadata(list, target) as readonly unknown[] | undefined) ?? []).forEach(visit);
      }
    } else if (typeof target === 'object') {
      const { module, imports = [], providers = [], forwardRef } = target as ModuleParts;
      [module, forwardRef?.(), ...imports, ...providers].forEach(visit);
    }
  };
  modules.forEach(visit);
  return sections;
}
