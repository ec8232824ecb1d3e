import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Where programs are looked for when PATH says nothing. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** The folders that programs are taken from, as they are when this process starts. */
export const PROGRAM_PATH = process.env['PATH'] ?? DEFAULT_PATH;

/** Programs that Windows starts by a shell, which parses arguments in its own way. */
const BY_SHELL = /\.(bat|cmd)$/i;

/** Returns the real path of a program; undefined if there is none that can be started without a shell. */
export function findProgram(name: string): string | undefined {
  const folders = PROGRAM_PATH.split(delimiter).filter((folder) => isAbsolute(folder));
  const endings = process.platform === 'win32' ? ['', '.exe', '.com'] : [''];
  const places = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
  for (const place of places.flatMap((path) => endings.map((ending) => path + ending))) {
    try {
      accessSync(place, constants.X_OK);
      const path = realpathSync(place);
      if (statSync(path).isFile() && !BY_SHELL.test(path)) return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
