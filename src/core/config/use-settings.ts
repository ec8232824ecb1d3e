import 'reflect-metadata';
import type { SettingsSection } from './section.js';

/** A string, so that a module that was compiled against another copy of this file is understood too. */
const KEY = 'openclaw:settings';

/** What `imports` and `providers` of a Nest module may hold, as far as it matters here. */
interface ModuleParts {
  readonly module?: unknown;
  readonly imports?: readonly unknown[];
  readonly providers?: readonly unknown[];
  readonly forwardRef?: () => unknown;
}

/**
 * Declares that a class of a team's module, the module itself or one of its providers, has settings of its own. They are
 * loaded, checked, listed and changed like those of the gateway.
 * @example `@UseSettings(diceSettings) @Module({ providers: [DiceTool] }) export class AcmeModule {}`
 */
export function UseSettings(...sections: readonly SettingsSection[]): ClassDecorator {
  return (target) => Reflect.defineMetadata(KEY, sections, target);
}

/**
 * Finds the sections of Nest modules, their providers and the modules that they import. Modules behind a promise are not
 * searched.
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
