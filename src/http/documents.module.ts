// Promises: /openapi.json, /asyncapi.json and /docs, true to what runs, at no cost until somebody asks.
// Refuses to know: what the documents are about.
import { Module } from '@nestjs/common';
import { DocumentsController } from './documents.controller.js';
import { DocumentsService } from './documents.service.js';

@Module({ controllers: [DocumentsController], providers: [DocumentsService], exports: [DocumentsService] })
export class DocumentsModule {}
