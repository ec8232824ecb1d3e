import { describe, expect, it } from 'vitest';
import { BlobsModule } from './blobs/blobs.module.js';
import { SqliteModule } from './sqlite/sqlite.module.js';
import { findStoreEngine, findStoreUrlFault } from './store-urls.js';
import { StoresModule } from './stores.module.js';

describe('the URL of a store', () => {
  it('selects the engine', () => {
    expect(findStoreEngine('sqlite:data/gateway.db')).toBe('sqlite');
    expect(findStoreEngine('sqlite::memory:')).toBe('sqlite');
    expect(StoresModule.for('sqlite::memory:').imports).toContain(SqliteModule);
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

  it('is refused when it would name a file that nobody meant', () => {
    for (const url of ['sqlite:~/x', 'sqlite://data/x', 'sqlite://:memory:', 'sqlite:x?mode=rwc', 'sqlite::memory'])
      expect([url, typeof findStoreUrlFault(url)]).toEqual([url, 'string']);
    expect(findStoreUrlFault('sqlite:/data/x y')).toBeUndefined();
  });

  it('is ignored when the application provides a store', () => {
    class OwnStore {}
    expect(StoresModule.for('own:', OwnStore).imports).toEqual([OwnStore, BlobsModule]);
    class OwnBlobs {}
    expect(StoresModule.for('own:', OwnStore, OwnBlobs).imports).toEqual([OwnStore, OwnBlobs]);
  });
});
