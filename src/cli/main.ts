import { enableCompileCache } from 'node:module';
import { useBundledPackages } from './bundled-packages.js';

// Before anything large is loaded, so that it is compiled once and not at each start.
enableCompileCache();
useBundledPackages();
const { run } = await import('./cli.js');
const { systemTerminal } = await import('./terminal.js');

// The reader may close the pipe early, as in `openclaw status | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});
process.exitCode = await run(process.argv.slice(2), systemTerminal());
// After a failure nothing that is left may keep the process alive, for example what a module of a team has opened.
if (process.exitCode !== 0) setTimeout(() => process.exit(), 200).unref();
