import 'reflect-metadata';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModuleMetadata, Type } from '@nestjs/common';

/** Modules as Nest imports them. */
export type NestModules = NonNullable<ModuleMetadata['imports']>;

/** The metadata that `@Module()` sets, each when its argument has it. */
const MODULE_METADATA = ['imports', 'providers', 'controllers', 'exports'];

/**
 * Loads the Nest modules that the setting `modules` names. Each file or package exports one or more classes with
 * `@Module()`.
 * @throws Error that names the setting and the problem
 */
export async function loadTeamModules(specifiers: readonly string[], folder = process.cwd()): Promise<Type[]> {
  const loaded: Type[] = [];
  for (const specifier of specifiers) loaded.push(...(await loadOne(specifier, folder)));
  return loaded;
}

async function loadOne(specifier: string, folder: string): Promise<Type[]> {
  let exported: Record<string, unknown>;
  try {
    exported = (await import(toUrl(specifier, folder))) as Record<string, unknown>;
  } catch (error) {
    throw new Error(
      `The module "${specifier}" of the setting \`modules\` cannot be loaded: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const modules = [...new Set(Object.values(exported))].filter(isNestModule);
  if (modules.length === 0)
    throw new Error(`The module "${specifier}" of the setting \`modules\` exports no class with @Module()`);
  return modules;
}

/** Resolves a path from `folder`; anything else is a package name. */
function toUrl(specifier: string, folder: string): string {
  const isPath = specifier.startsWith('.') || isAbsolute(specifier);
  return isPath ? pathToFileURL(resolve(folder, specifier)).href : specifier;
}

function isNestModule(value: unknown): value is Type {
  return typeof value === 'function' && MODULE_METADATA.some((key) => Reflect.hasMetadata(key, value));
}
