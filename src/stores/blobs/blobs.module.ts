// Promises: BlobStore on a local folder. Refuses to know: whom the files belong to and what they contain.
import { Global, Injectable, Module } from '@nestjs/common';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { StartStep } from '../../core/lifecycle/steps.js';
import { BlobStore } from '../../core/media/blob.store.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { findMediaFolder } from '../store-engines.js';
import { FolderBlobs } from './folder-blobs.js';

/** Warns at the start when files cannot be stored, instead of at the first upload. */
@Injectable()
export class BlobFolderCheck {
  private readonly log: Log;

  constructor(
    private readonly blobs: BlobStore,
    logs: Logs,
  ) {
    this.log = logs.for('store');
  }

  @StartStep({ name: 'check the folder of files', phase: 'register' })
  async check(): Promise<void> {
    if (!(this.blobs instanceof FolderBlobs)) return;
    try {
      await this.blobs.check();
    } catch (error) {
      this.log.warn(
        { error, folder: this.blobs.path },
        'no file can be uploaded: the folder cannot be written to; set media.folder to another place',
      );
    }
  }
}

@Global()
@Module({
  providers: [
    {
      provide: BlobStore,
      useFactory: (config: ConfigStoreService) =>
        new FolderBlobs(() => findMediaFolder(config.get('media.folder'), config.get('store.url'))),
      inject: [ConfigStoreService],
    },
    BlobFolderCheck,
  ],
  exports: [BlobStore],
})
export class BlobsModule {}
