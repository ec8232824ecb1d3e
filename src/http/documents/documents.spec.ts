import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeTable, errorTable, inboundTable, MessageInPayload, outboundTable } from '../../protocol/index.js';
import { buildAsyncApi } from '../asyncapi.js';
import { DocumentsModule } from './documents.module.js';
import { DocumentsService } from './documents.service.js';
import { toJsonSchema } from './json-schema.js';

describe('the AsyncAPI document', () => {
  const document = buildAsyncApi();
  const text = JSON.stringify(document);
  const follow = (pointer: string) =>
    pointer
      .split('/')
      .slice(1)
      .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], document);

  it('names every frame of both directions, once as a message and once as an operation', () => {
    const types = [
      ...Object.keys(inboundTable).map((type) => `client.${type}`),
      ...Object.keys(outboundTable).map((type) => `gateway.${type}`),
    ];
    expect(Object.keys(follow('#/components/messages') as object)).toEqual(types);
    expect(Object.keys(follow('#/channels/gateway/messages') as object)).toEqual(types);
    expect(Object.keys(follow('#/operations') as object)).toHaveLength(types.length);
  });

  it('names every error and close code', () => {
    expect(Object.keys(follow('#/channels/gateway/x-error-codes') as object)).toEqual(Object.keys(errorTable));
    expect(follow('#/channels/gateway/x-close-codes')).toEqual(Object.values(closeTable));
  });

  it('has no broken references', () => {
    const pointers = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, pointer]) => pointer ?? '');
    expect(pointers.length).toBeGreaterThan(0);
    for (const pointer of pointers) expect(follow(pointer), pointer).toBeDefined();
  });

  it('states that only a text with attachments, and only the removal of a reaction, may be empty', () => {
    expect(follow('#/components/messages/client.message_in/payload/properties/payload/anyOf')).toHaveLength(2);
    expect(follow('#/components/messages/client.reaction/payload/properties/payload/anyOf')).toHaveLength(2);
  });

  it('states lengths in code points, as JSON Schema does', () => {
    expect(text).not.toContain('x-length');
    expect(toJsonSchema(MessageInPayload)).toMatchObject({
      additionalProperties: false,
      properties: { channel: { minLength: 1, maxLength: 256 }, content: { maxLength: 65_536 } },
    });
  });

  it('marks durable frames by the fields that only they require', () => {
    const required = (type: string) =>
      (follow(`#/components/messages/gateway.${type}/payload`) as { required: string[] }).required;
    expect(required('stream_end')).toEqual(expect.arrayContaining(['seq', 'session_id']));
    expect(required('pong')).not.toContain('seq');
  });
});

describe('the pages about the gateway', () => {
  let app: INestApplication;
  let http: ReturnType<typeof request>;

  beforeAll(async () => {
    const testing = await Test.createTestingModule({ imports: [DocumentsModule] }).compile();
    app = testing.createNestApplication();
    app.get(DocumentsService).describe(app);
    await app.listen(0, '127.0.0.1');
    http = request(await app.getUrl());
  });

  afterAll(() => app.close());

  it('[L-14] serve OpenAPI and AsyncAPI without a credential', async () => {
    const openApi = await http.get('/openapi.json');
    expect(openApi.body).toMatchObject({ openapi: '3.1.1', info: { title: 'OpenClaw gateway: HTTP API' } });
    const asyncApi = await http.get('/asyncapi.json');
    expect(asyncApi.body).toEqual(JSON.parse(JSON.stringify(buildAsyncApi())));
  });

  it('[L-14] show OpenAPI on a page without inline scripts or styles and without foreign addresses', async () => {
    const page = await http.get('/docs');
    expect(page.type).toBe('text/html');
    expect(page.text).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=|https?:/);
    const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? '');
    expect(sources).toHaveLength(4);
    for (const source of sources) {
      const answer = await http.get(source);
      expect([answer.status, answer.type], source).toEqual([200, expectedType(source)]);
    }
  });

  it('[X-15] serve no other file', async () => {
    for (const name of [
      'package.json',
      'index.html',
      '..%2fpackage.json',
      '%2e%2e%2f%2e%2e%2fpackage.json',
      'swagger-ui.js',
      '',
    ]) {
      const answer = await http.get(`/docs/${name}`);
      expect(answer.status === 404 || answer.text.includes('swagger-ui-bundle.js'), name).toBe(true);
      expect(answer.text, name).not.toContain('"dependencies"');
    }
  });
});

function expectedType(source: string): string {
  if (source.endsWith('.css')) return 'text/css';
  return source.endsWith('.js') ? 'text/javascript' : 'image/png';
}
