// Resolves imports to the bundled packages and their cached code, which `openclaw start` does for a gateway without modules
// only: installed packages double the time of a start. Import it before anything else.
import { readFileSync } from 'node:fs';
import { enableCompileCache, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const SHARED = new URL('../../dist/bundle/shared/', import.meta.url);
const files = JSON.parse(readFileSync(new URL('imports.json', SHARED), 'utf8'));

enableCompileCache({ directory: fileURLToPath(new URL('../cache', SHARED)), portable: true });
registerHooks({
  resolve: (name, context, next) =>
    name in files ? { url: new URL(files[name], SHARED).href, shortCircuit: true } : next(name, context),
});
