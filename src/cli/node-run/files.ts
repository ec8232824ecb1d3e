import { constants } from 'node:fs';
import { lstat, open, opendir, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { CommandError, NodeMedia, type NodeCommandSetup } from '../../client/node/index.js';

const MAX_FILE_BYTES = 10 * 1_048_576;

/** Longest text that is returned as it is, in bytes; more is uploaded. */
const MAX_TEXT_BYTES = 65_536;

/** Entries of a list: as many as a frame carries, since agents read a frame and not an upload. */
const MAX_ENTRIES = 900;

const PATH = {
  type: 'string',
  maxLength: 4_096,
  description: 'Relative to the folder that this machine shares, with / between folders.',
};

/** Makes `files.read` and `files.list`. @param root the real path of the folder that is shared */
export function makeFileCommands(root: string): NodeCommandSetup[] {
  return [
    {
      name: 'files.read',
      description: 'Reads a file: text up to 64 KiB as it is, other files up to 10 MiB as an upload.',
      parameters: { type: 'object', properties: { path: PATH }, required: ['path'], additionalProperties: false },
      idempotent: true,
      run: ({ path }) => readFileBelow(root, path as string),
    },
    {
      name: 'files.list',
      description: `Lists a folder, at most ${MAX_ENTRIES} entries. Links are listed and not followed.`,
      parameters: { type: 'object', properties: { path: PATH }, additionalProperties: false },
      idempotent: true,
      run: ({ path = '' }) => listFolderBelow(root, path as string),
    },
  ];
}

async function readFileBelow(root: string, path: string): Promise<unknown> {
  const place = placeOf(root, path);
  const device = (await lstat(root)).dev;
  // Looked at before it is opened: opening some devices has effects.
  checkFile(await lstat(place).catch(notFound(path)), device, path);
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(notFound(path));
  try {
    const { size } = checkFile(await file.stat(), device, path);
    await checkOpened(file, place, path);
    if (size > MAX_FILE_BYTES)
      throw new CommandError('TOO_LARGE', `${path} has ${size} bytes; at most ${MAX_FILE_BYTES}`);
    const bytes = await readAtMost(file, MAX_FILE_BYTES);
    const text = bytes.length <= MAX_TEXT_BYTES ? toText(bytes) : undefined;
    return text === undefined ? new NodeMedia(bytes) : { path, size_bytes: bytes.length, text };
  } finally {
    await file.close();
  }
}

async function listFolderBelow(root: string, path: string): Promise<object> {
  const place = path === '' ? root : placeOf(root, path);
  if ((await realpath(place).catch(notFound(path))) !== place) throw linked(path);
  const folder = await opendir(place).catch(notFound(path));
  const entries: object[] = [];
  let isComplete = true;
  for await (const entry of folder) {
    if (entries.length >= MAX_ENTRIES) {
      isComplete = false;
      break;
    }
    const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other';
    const size = kind === 'file' ? (await lstat(join(place, entry.name)).catch(() => undefined))?.size : undefined;
    entries.push({ name: entry.name, kind, ...(size !== undefined && { size_bytes: size }) });
  }
  return { path, entries, complete: isComplete };
}

/** Returns the place of a path that leads nowhere but down. */
function placeOf(root: string, path: string): string {
  const steps = path.split(/[/\\]/).filter((step) => step !== '' && step !== '.');
  const isOdd = isAbsolute(path) || /^[A-Za-z]:/.test(path) || path.includes('\u0000') || steps.includes('..');
  if (isOdd || steps.length === 0) throw new CommandError('NOT_ALLOWED', 'the path must lead below the shared folder');
  return join(root, ...steps);
}

/** Throws unless it is an ordinary file on the file system of the shared folder: `/proc` and pipes are none. */
function checkFile<S extends { isFile(): boolean; readonly dev: number | bigint }>(
  found: S,
  device: number,
  path: string,
): S {
  if (found.isFile() && found.dev === device) return found;
  throw new CommandError('NOT_ALLOWED', `${path} is not an ordinary file of the shared folder`);
}

/** Throws if a link, at any step, has led to another place than the path names. */
async function checkOpened(file: FileHandle, place: string, path: string): Promise<void> {
  const isLinux = process.platform === 'linux';
  const real = isLinux ? await readlink(`/proc/self/fd/${file.fd}`) : await realpath(place).catch(notFound(path));
  if (real !== place) throw linked(path);
}

/** Reads what is there, at most a number of bytes: a file may grow meanwhile. */
async function readAtMost(file: FileHandle, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(Math.min(65_536, maxBytes + 1 - total)));
    if (bytesRead === 0) return Buffer.concat(chunks);
    total += bytesRead;
    if (total > maxBytes) throw new CommandError('TOO_LARGE', `the file has more than ${maxBytes} bytes`);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

function toText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\u0000') ? undefined : text;
  } catch {
    return undefined;
  }
}

function notFound(path: string) {
  return (error: unknown): never => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw linked(path);
    throw new CommandError('NOT_FOUND', `${path} cannot be read (${code ?? 'unknown'})`);
  };
}

function linked(path: string): CommandError {
  return new CommandError('NOT_ALLOWED', `${path} leads over a link, which is not followed`);
}
