// Promises: BlobStore on a local folder. Refuses to know: whom the files belong to and what they contain.
import { Global, Module } from '@nestjs/common';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { BlobStore } from '../../core/media/blob.store.js';
import { FolderBlobs } from './folder-blobs.js';

@Global()
@Module({
  providers: [
    {
      provide: BlobStore,
      useFactory: (config: ConfigStoreService) => new FolderBlobs(() => config.get('media.folder')),
      inject: [ConfigStoreService],
    },
  ],
  exports: [BlobStore],
})
export class BlobsModule {}
