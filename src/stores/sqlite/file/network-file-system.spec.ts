import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findNetworkFileSystem } from './network-file-system.js';

describe.runIf(process.platform === 'linux')('a network file system', () => {
  it.each([
    ['NFS', 0x6969],
    ['SMB', 0x517b],
    ['CIFS', 0xff534d42],
    ['SMB2', 0xfe534d42],
    ['FUSE', 0x65735546],
    ['9p', 0x01021997],
    [undefined, 0xef53],
  ])('is known by the number of its type: %s', (name, type) => {
    expect(findNetworkFileSystem('/data/gateway.db', () => type)).toBe(name);
  });

  it('is looked for at the lowest folder that exists', () => {
    const asked: string[] = [];
    findNetworkFileSystem(join(tmpdir(), 'no', 'such', 'gateway.db'), (folder) => asked.push(folder));
    expect(asked).toEqual([tmpdir()]);
  });

  it('is not what holds temporary files', () => {
    expect(findNetworkFileSystem(join(tmpdir(), 'gateway.db'))).toBeUndefined();
  });
});
