// Promises: the ports to persistence on the engine that a URL names. Refuses to know: how an engine keeps what it is given.
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { BlobsModule } from './blobs/blobs.module.js';
import { SqliteModule } from './sqlite/sqlite.module.js';
import { findStoreEngine, findStoreUrlFault, type StoreEngine } from './store-urls.js';

const MODULES: Readonly<Record<StoreEngine, Type>> = { sqlite: SqliteModule };

@Module({})
export class StoresModule {
  /**
   * The stores of a gateway.
   * @param store a module that provides the ports of `core/store`, in place of the engine that `url` names
   * @throws Error when no engine accepts `url`
   */
  static for(url: string, store?: Type | DynamicModule): DynamicModule {
    const engine = findStoreEngine(url);
    if (!store && !engine) throw new Error(`store.url: ${findStoreUrlFault(url)}`);
    return { module: StoresModule, imports: [store ?? MODULES[engine as StoreEngine], BlobsModule] };
  }
}
