// Promises: what operators look at and change, documented as OpenAPI. Refuses to know: how anything is stored.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { CoreModule } from '../core/core.module.js';
import { ConfigController } from './config.controller.js';

@Module({ imports: [AuthModule, CoreModule], controllers: [ConfigController] })
export class AdminModule {}
