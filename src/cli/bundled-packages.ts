import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/** Maps each import to its file. `scripts/bundle.ts` writes it beside the bundle of the gateway. */
const FILES = new URL('../shared/imports.json', import.meta.url);

/** The folder of the bundles. */
const BUNDLES = new URL('..', import.meta.url).href;

/** Loaded before the settings are known, because the settings are read with them. */
const EARLY = /^(typebox|reflect-metadata)(\/|$)/;

let withTeam = false;

/**
 * Makes this process load the packages that a team may share with the gateway (Nest, RxJS, TypeBox ...) from a few
 * bundled files instead of a thousand small ones. Does nothing where there is no bundle.
 */
export function useBundledPackages(): void {
  if (!existsSync(FILES)) return;
  const names = JSON.parse(readFileSync(FILES, 'utf8')) as Readonly<Record<string, string>>;
  const files = new Map(Object.entries(names).map(([name, file]) => [name, new URL(file, FILES).href]));
  registerHooks({
    resolve(specifier, context, next) {
      // Node would look up each of a hundred files, its true path and the type of its package.
      if (specifier.startsWith('./') && context.parentURL?.startsWith(BUNDLES) && context.conditions.includes('import'))
        return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true };
      const url = files.get(specifier);
      if (url === undefined) return next(specifier, context);
      const isBundled =
        !withTeam ||
        // An application with its own version of a package keeps it.
        (EARLY.test(specifier) &&
          next(specifier, context).url === next(specifier, { ...context, parentURL: import.meta.url }).url);
      return isBundled ? { url, format: 'module', shortCircuit: true } : next(specifier, context);
    },
  });
}

/**
 * Makes this process load the installed packages from now on, except for those that are loaded already. Modules of
 * a team may import any file of a package; the bundled files stand for the usual imports only, and classes must not
 * exist twice. To be called before anything that imports Nest.
 */
export function useInstalledPackages(): void {
  withTeam = true;
}
