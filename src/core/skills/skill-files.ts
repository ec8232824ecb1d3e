import { constants } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { readFrontMatter, type FrontMatter } from './front-matter.js';

export const SKILL_FILE = 'SKILL.md';
/** The folder of an agent's skills in the sandbox. */
export const SKILLS_MOUNT = '/skills';
/** Maximum size of a file of a skill, in bytes. */
export const MAX_SKILL_FILE_BYTES = 65_536;

/** A skill that can be used. */
export interface Skill extends FrontMatter {
  /** Its folder, without links. */
  readonly folder: string;
}

/** A folder that may be a skill. */
export interface SkillFolder {
  readonly path: string;
  /** Changes with its `SKILL.md`; undefined if there is none. */
  readonly stamp: string | undefined;
}

/**
 * Returns the folders of an entry of `skills`: itself if it has a `SKILL.md`, else those in it, by name. Names with a dot in
 * front are left out: Kubernetes keeps the versions of a volume there.
 */
export async function listSkillFolders(entry: string): Promise<SkillFolder[]> {
  const stamp = await stampOf(entry);
  if (stamp !== undefined) return [{ path: entry, stamp }];
  const names = (await readdir(entry)).filter((name) => !name.startsWith('.')).toSorted();
  const folders = await Promise.all(
    names.map(async (name): Promise<SkillFolder[]> => {
      const path = join(entry, name);
      const own = await stampOf(path);
      return own !== undefined || (await isFolder(path)) ? [{ path, stamp: own }] : [];
    }),
  );
  return folders.flat();
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Returns a text that changes when the `SKILL.md` of a folder does, also when a link leads to another file. */
async function stampOf(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = await stat(join(folder, SKILL_FILE));
    return [dev, ino, size, mtimeMs, ctimeMs].join(':');
  } catch {
    return undefined;
  }
}

/** Reads the skill in a folder. @throws Error with the fault */
export async function readSkill(path: string): Promise<Skill> {
  const folder = await realpath(path);
  const front = readFrontMatter(await readSkillFile(folder, SKILL_FILE));
  const expected = basename(resolve(path));
  if (front.name !== expected) throw new Error(`name is ${front.name}, and the folder is ${expected}`);
  return { ...front, folder };
}

/**
 * Reads a text file of a skill. Links are followed within its folder.
 * @param folder without links
 * @throws Error with the fault
 */
export async function readSkillFile(folder: string, file: string): Promise<string> {
  if (file.includes('\0')) throw new Error(`${JSON.stringify(file)} is not the name of a file`);
  const path = await realpath(resolve(folder, file)).catch(() => {
    throw new Error(`there is no file ${file}`);
  });
  if (!path.startsWith(folder + sep)) throw new Error(`${file} is not in the folder of the skill`);
  // A pipe would wait for a writer; the path has no links any more.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new Error(`${file} is not a file`);
    const buffer = Buffer.alloc(MAX_SKILL_FILE_BYTES + 1);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    if (bytesRead > MAX_SKILL_FILE_BYTES) throw new Error(`${file} is larger than ${MAX_SKILL_FILE_BYTES} bytes`);
    return decode(buffer.subarray(0, bytesRead), file);
  } finally {
    await handle.close();
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Reported below.
  }
  throw new Error(`${file} is not UTF-8 text`);
}
