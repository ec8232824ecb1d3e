import 'reflect-metadata';
import { realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModuleMetadata, Type } from '@nestjs/common';

/** Modules as Nest imports them. */
export type NestModules = NonNullable<ModuleMetadata['imports']>;

/** The metadata that `@Module()` sets, each when its argument has it. */
const MODULE_METADATA = ['imports', 'providers', 'controllers', 'exports'];

/** Packages whose classes Nest compares, so that a process needs one copy of each. */
const SINGLE = ['@nestjs/common', '@nestjs/core'];

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
  const url = toUrl(specifier, folder);
  if (url.startsWith('file:')) checkCopies(specifier, url);
  try {
    exported = (await import(url)) as Record<string, unknown>;
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

/** Nest does not find its own providers for a module that was compiled against another copy of it. */
function checkCopies(specifier: string, url: string): void {
  for (const name of SINGLE) {
    const [theirs, ours] = [findPackage(name, url), findPackage(name, import.meta.url)];
    if (theirs === undefined || ours === undefined || theirs === ours) continue;
    throw new Error(
      `The module "${specifier}" of the setting \`modules\` has a copy of ${name} of its own (${theirs}), and the ` +
        `gateway uses ${ours}. Install openclaw-gateway-nest and the module in one project, so that npm installs one ` +
        'copy for both (npm dedupe)',
    );
  }
}

/** Returns the folder of the package that an import of `name` from `base` finds. */
function findPackage(name: string, base: string): string | undefined {
  try {
    const file = findPackageJSON(name, base);
    return file === undefined ? undefined : realpathSync(dirname(file));
  } catch {
    // The module does not import it.
    return undefined;
  }
}

/** Resolves a path from `folder`; anything else is a package name. */
function toUrl(specifier: string, folder: string): string {
  const isPath = specifier.startsWith('.') || isAbsolute(specifier);
  return isPath ? pathToFileURL(resolve(folder, specifier)).href : specifier;
}

function isNestModule(value: unknown): value is Type {
  return typeof value === 'function' && MODULE_METADATA.some((key) => Reflect.hasMetadata(key, value));
}
