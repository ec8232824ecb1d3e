// Promises: /openapi.json, /asyncapi.json and /docs describe the running gateway, and cost nothing until requested.
// Refuses to know: the content of the documents.
import { Module } from '@nestjs/common';
import { DocumentsController } from './documents.controller.js';
import { DocumentsService } from './documents.service.js';

@Module({ controllers: [DocumentsController], providers: [DocumentsService], exports: [DocumentsService] })
export class DocumentsModule {}
