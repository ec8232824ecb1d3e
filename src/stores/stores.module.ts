// Promises: the ports to persistence, on the engine that a URL selects. Refuses to know: how an engine stores records.
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { BlobsModule } from './blobs/blobs.module.js';
import { getStoreEngine } from './store-engines.js';

@Module({})
export class StoresModule {
  /**
   * Selects the modules that provide the ports to persistence.
   * @param store provides the ports of `core/store`, in place of the engine for `url`
   * @param blobs provides `BlobStore`, in place of the local folder
   * @throws Error when no engine accepts `url`
   */
  static for(url: string, store?: Type | DynamicModule, blobs: Type | DynamicModule = BlobsModule): DynamicModule {
    return { module: StoresModule, imports: [store ?? loadEngine(url), blobs] };
  }
}

function loadEngine(url: string): Promise<DynamicModule> {
  return getStoreEngine(url)
    .loadModule()
    .then((module) => ({ module }));
}
