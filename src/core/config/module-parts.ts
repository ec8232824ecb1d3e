import 'reflect-metadata';

/** The fields of a Nest module and of a provider that are searched. */
interface ModuleParts {
  readonly module?: unknown;
  readonly imports?: readonly unknown[];
  readonly providers?: readonly unknown[];
  readonly forwardRef?: () => unknown;
  readonly useClass?: unknown;
}

/**
 * Returns the classes of Nest modules, of their imports and of their providers, each once. Modules that are promises are
 * not searched.
 */
export function listClasses(modules: readonly unknown[]): object[] {
  const classes: object[] = [];
  const seen = new Set<unknown>();
  const visit = (target: unknown): void => {
    if (target === null || target === undefined || seen.has(target)) return;
    seen.add(target);
    if (typeof target === 'function') {
      classes.push(target);
      for (const list of ['imports', 'providers']) {
        ((Reflect.getOwnMetadata(list, target) as readonly unknown[] | undefined) ?? []).forEach(visit);
      }
    } else if (typeof target === 'object') {
      const { module, imports = [], providers = [], forwardRef, useClass } = target as ModuleParts;
      [module, forwardRef?.(), useClass, ...imports, ...providers].forEach(visit);
    }
  };
  modules.forEach(visit);
  return classes;
}
