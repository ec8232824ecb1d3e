import { Module, type DynamicModule } from '@nestjs/common';
import { FakePlatform, PigeonDriver, PlatformApi, TelegraphDriver } from '../../src/testing/fake-platform.js';

/** The drivers of the made-up platform, on `platform`. */
@Module({})
export class PlatformModule {
  static on(
    platform: FakePlatform,
    driver: typeof PigeonDriver | typeof TelegraphDriver = PigeonDriver,
  ): DynamicModule {
    return { module: PlatformModule, providers: [driver, { provide: PlatformApi, useValue: platform }] };
  }
}
