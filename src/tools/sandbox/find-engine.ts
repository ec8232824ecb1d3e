import { SandboxUnavailableError, type SandboxEngine } from './sandbox-engine.js';

/**
 * Returns the first of `engines` that can be used here.
 * @param setting the name of the only one that may be taken, `auto` for any, or `none`
 * @throws SandboxUnavailableError if there is none; the message says why, and what to do
 */
export async function findEngine(engines: readonly SandboxEngine[], setting: string): Promise<SandboxEngine> {
  const complaints: string[] = [];
  for (const engine of engines.filter(({ name }) => setting === 'auto' || setting === name)) {
    try {
      await engine.check();
      return engine;
    } catch (error) {
      if (!(error instanceof SandboxUnavailableError)) throw error;
      complaints.push(error.message);
    }
  }
  throw new SandboxUnavailableError(describeMissing(setting, complaints));
}

function describeMissing(setting: string, complaints: readonly string[]): string {
  if (setting === 'none') return 'no sandbox engine: tools.sandbox.engine is none, so commands cannot run';
  const install =
    'install Docker, or bubblewrap and util-linux (apt-get install bubblewrap), or set tools.sandbox.engine';
  return `no sandbox engine: ${complaints.join('; ')}. To run commands ${install}`;
}
