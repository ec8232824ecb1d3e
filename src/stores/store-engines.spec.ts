import { tmpdir } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../settings.js';
import { BlobsModule } from './blobs/blobs.module.js';
import { SQLITE_ENGINE } from './sqlite/sqlite-engine.js';
import { SqliteModule } from './sqlite/sqlite.module.js';
import { findStoreEngine, findStoreFolder, findStoreUrlFault } from './store-engines.js';
import { StoresModule } from './stores.module.js';

describe('the URL of a store', () => {
  it('selects the engine', async () => {
    expect(findStoreEngine('sqlite:data/gateway.db')).toBe(SQLITE_ENGINE);
    expect(findStoreEngine('sqlite::memory:')).toBe(SQLITE_ENGINE);
    expect(await StoresModule.for('sqlite::memory:').imports?.[0]).toEqual({ module: SqliteModule });
  });

  it('is refused when no engine accepts it, with the allowed forms', () => {
    expect(findStoreUrlFault('sqlite:x')).toBeUndefined();
    expect(findStoreUrlFault('postgres://db/gateway')).toBe(
      'PostgreSQL is not part of this version; allowed: sqlite:PATH',
    );
    for (const url of ['', 'sqlite:', 'data/gateway.db', 'redis://x']) {
      expect(findStoreUrlFault(url)).toBe('is not the URL of a store; allowed: sqlite:PATH');
      expect(() => StoresModule.for(url)).toThrow('store.url: is not the URL of a store');
    }
  });

  it('is refused when it would name an unintended file', () => {
    for (const url of [
      'sqlite:~/x',
      'sqlite://data/x',
      'sqlite://:memory:',
      'sqlite:x?mode=rwc',
      'sqlite::memory',
      'sqlite:/proc/x/y.db',
      'sqlite:/sys/x',
      'sqlite:/dev/x',
    ])
      expect([url, typeof findStoreUrlFault(url)]).toEqual([url, 'string']);
    for (const url of ['sqlite:/data/x y', 'sqlite:/dev/shm/x', 'sqlite:/process/x', 'sqlite:proc/x'])
      expect([url, findStoreUrlFault(url)]).toEqual([url, undefined]);
  });

  it('is refused on a network file system, unless the operator allows that', () => {
    const find = vi.spyOn(SQLITE_ENGINE, 'findPlaceFault').mockReturnValue('is on NFS');
    expect(() => loadSettings({}, {}, tmpdir())).toThrow('store.url: is on NFS');
    const { values } = loadSettings({ OPENCLAW_STORE_ALLOW_NETWORK_FS: 'true' }, {}, tmpdir());
    expect(values['store.allow_network_fs']).toBe(true);
    find.mockRestore();
    expect(SQLITE_ENGINE.findPlaceFault('sqlite::memory:')).toBeUndefined();
  });

  it('has a folder for files that belong to the store', () => {
    expect(
      ['sqlite:/var/lib/x/gateway.db', 'sqlite:gateway.db', 'sqlite::memory:', 'own:'].map(findStoreFolder),
    ).toEqual(['/var/lib/x', '.', 'data', 'data']);
  });

  it('is ignored when the application provides a store', () => {
    class OwnStore {}
    expect(StoresModule.for('own:', OwnStore).imports).toEqual([OwnStore, BlobsModule]);
    class OwnBlobs {}
    expect(StoresModule.for('own:', OwnStore, OwnBlobs).imports).toEqual([OwnStore, OwnBlobs]);
  });
});
