import { readFileSync } from 'node:fs';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import Type from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeTable, errorTable, inboundTable, MessageInPayload, outboundTable } from '../protocol/index.js';
import { buildAsyncApi } from './asyncapi.js';
import { DocumentsModule } from './documents.module.js';
import { DocumentsService } from './documents.service.js';
import { toJsonSchema, toOpenApiSchema } from './json-schema.js';

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

describe('the OpenAPI document', () => {
  /** The parts of an operation that are checked. */
  interface Operation {
    readonly operationId?: string;
    readonly summary?: string;
    readonly security?: unknown[];
    readonly requestBody?: Body;
    readonly responses: Readonly<Record<string, Body>>;
  }
  interface Body {
    readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
  }
  interface Schema {
    readonly type?: string;
    readonly format?: string;
    readonly $ref?: string;
    readonly enum?: unknown;
    readonly example?: unknown;
    readonly items?: Schema;
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly additionalProperties?: Schema | boolean;
    readonly allOf?: readonly Schema[];
    readonly oneOf?: readonly Schema[];
  }
  const document = JSON.parse(readFileSync('docs/reference/openapi.json', 'utf8')) as {
    readonly servers: unknown[];
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  };
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [`${method} ${path}`, operation] as const),
  );

  it('names each operation by an ID of its own', () => {
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(ids.filter((id, index) => id === undefined || ids.indexOf(id) !== index)).toEqual([]);
  });

  it('has a summary, the credential and the failures of every operation', () => {
    expect(document.servers).toHaveLength(1);
    expect(operations.map(([name]) => name)).toEqual(expect.arrayContaining(['post /mcp', 'get /media/{id}']));
    for (const [name, { summary, security, requestBody, responses }] of operations) {
      expect([name, summary === undefined, security === undefined]).toEqual([name, false, false]);
      const failures = Object.keys(responses).filter((status) => Number(status) >= 400);
      const expected = [
        '400',
        '403',
        '429',
        ...(security?.length === 0 ? [] : ['401']),
        ...(requestBody ? ['415'] : []),
      ];
      expect([name, failures]).toEqual([name, expect.arrayContaining(expected)]);
      for (const [status, response] of Object.entries(responses))
        if (status !== '202' && status !== '204')
          expect([name, status, Object.keys(response.content ?? {})]).not.toEqual([name, status, []]);
    }
  });

  /** Returns the paths of the parts of a schema that say nothing of their form. */
  function listBare(schema: Schema, path = ''): readonly string[] {
    const { type, format, $ref, example, items, properties, additionalProperties } = schema;
    if ($ref !== undefined) return listBare(document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {}, path);
    if (example !== undefined || schema.enum !== undefined || type === 'boolean' || format === 'binary') return [];
    if (properties) return Object.entries(properties).flatMap(([key, part]) => listBare(part, `${path}/${key}`));
    const parts = [...(schema.allOf ?? []), ...(schema.oneOf ?? []), ...(items ? [items] : [])];
    if (typeof additionalProperties === 'object') return listBare(additionalProperties, `${path}/*`);
    return parts.length === 0 ? [path] : parts.flatMap((part) => listBare(part, path));
  }

  it('describes each field of every body by an example, its values, or its parts', () => {
    for (const [name, { requestBody, responses }] of operations)
      for (const body of [requestBody, ...Object.values(responses)])
        for (const [type, { schema }] of Object.entries(body?.content ?? {}))
          if (type.endsWith('json')) expect([name, listBare(schema)]).toEqual([name, []]);
  });

  it('says in the terms of OpenAPI what a schema of the gateway says', () => {
    const schema = Type.Object({
      kind: Type.Literal(true),
      agent: Type.Optional(Type.Union([Type.String({ description: 'An ID.' }), Type.Null()])),
      time: Type.Union([Type.Number(), Type.String()], { description: 'A time.' }),
    });
    expect(toOpenApiSchema(schema, { kind: true })).toEqual({
      type: 'object',
      required: ['kind', 'time'],
      properties: {
        kind: { type: 'boolean', enum: [true] },
        agent: { type: 'string', description: 'An ID.', nullable: true },
        time: { anyOf: [{ type: 'number' }, { type: 'string' }], description: 'A time.' },
      },
      example: { kind: true },
    });
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
    expect(openApi.body).toMatchObject({ openapi: '3.0.0', info: { title: 'OpenClaw gateway: HTTP API' } });
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
