import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Injectable, type INestApplicationContext } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { buildAsyncApi } from '../asyncapi.js';
import { buildOpenApi } from './openapi.js';

/** The documents about this gateway, each built at its first request and cached. */
@Injectable()
export class DocumentsService {
  private app: INestApplicationContext | undefined;
  private openApi: Promise<OpenAPIObject> | undefined;
  private asyncApi: object | undefined;
  private assetFolder: string | undefined;

  /** Sets the application to describe. Only its creator has the reference, so it cannot be injected. */
  describe(app: INestApplicationContext): void {
    this.app = app;
  }

  getOpenApi(): Promise<OpenAPIObject> {
    if (!this.app) throw new Error('DocumentsService.describe(app) was not called when the application was created');
    return (this.openApi ??= buildOpenApi(this.app));
  }

  getAsyncApi(): object {
    return (this.asyncApi ??= buildAsyncApi());
  }

  /** Returns the path of one of swagger-ui's files. */
  findAsset(name: string): string {
    this.assetFolder ??= findAssetFolder();
    return join(this.assetFolder, name);
  }
}

/** The build copies the files beside the bundle; the sources use the installed package. */
function findAssetFolder(): string {
  const copied = join(import.meta.dirname, 'swagger-ui');
  if (existsSync(copied)) return copied;
  const swagger = createRequire(import.meta.url).resolve('@nestjs/swagger');
  return dirname(createRequire(swagger).resolve('swagger-ui-dist/package.json'));
}
