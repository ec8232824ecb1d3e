/** Collects the licences of bundled packages: their texts must go wherever their code goes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENSE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;
const RULE = '-'.repeat(80);

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
}

/**
 * Returns the licences of the packages that `moduleIds` (paths of files) belong to, ordered by name.
 * @throws Error that names the packages without any word of a licence
 */
export function collectLicenses(moduleIds: readonly string[]): string {
  const folders = new Set(moduleIds.map(findPackage).filter((folder) => folder !== undefined));
  const sections = new Map<string, string>();
  const unlicensed: string[] = [];
  for (const folder of folders) {
    const { name, version, license } = readManifest(folder);
    const texts = readdirSync(folder)
      .filter((file) => LICENSE_FILE.test(file))
      .map((file) => readFileSync(join(folder, file), 'utf8').trim());
    if (license === undefined && texts.length === 0) unlicensed.push(`${name}`);
    sections.set(`${name}@${version}`, [`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n'));
  }
  if (unlicensed.length > 0) throw new Error(`packages without a licence: ${unlicensed.join(', ')}`);
  const ordered = [...sections].sort(([a], [b]) => a.localeCompare(b)).map(([, text]) => text);
  return `Licences of the packages that are bundled in this one.\n\n${ordered.join(`\n\n${RULE}\n\n`)}\n`;
}

/** Returns the folder of the npm package that holds a file, or undefined for a file of our own. */
function findPackage(file: string): string | undefined {
  return /^.*\/node_modules\/(@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
