// Runs the driver of the made-up platform in a process of its own, with the bundled packages, as gateway-with-module.mjs does.
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
const { runDriver } = await import('openclaw-gateway-nest/driver');
const driver = await runDriver({ modules: Object.values(await import('./channel.module.mjs')) });
process.once('SIGTERM', () => void driver.stop().then(() => process.exit(0)));
