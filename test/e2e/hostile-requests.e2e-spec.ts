import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

interface Schema {
  readonly $ref?: string;
  readonly properties?: object;
}

interface Content {
  readonly schema: Schema;
  readonly example: unknown;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema?: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly security?: readonly unknown[];
}

const document = JSON.parse(readFileSync('docs/reference/openapi.json', 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>> & {
      readonly Problem: { readonly properties: { readonly code: { readonly enum: readonly string[] } } };
    };
  };
};

/** The codes that a problem may have. */
const CODES = document.components.schemas.Problem.properties.code.enum;

/** Operations that end or change the gateway under test, and those that speak another protocol over HTTP. */
const SKIPPED = [/^post \/admin\/v1\/(drain|backup)$/, / \/mcp$/];

const OPERATIONS = Object.entries(document.paths)
  .flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ method, path, operation })))
  .filter(({ method, path }) => !SKIPPED.some((pattern) => pattern.test(`${method} ${path}`)));

/** Texts that have broken programs: too long, controls, other alphabets, paths, code, formats. */
const HOSTILE_TEXTS = [
  '',
  ' ',
  'x'.repeat(3_000),
  '\u0000',
  '%00',
  '../../../etc/passwd',
  "' OR 1=1 --",
  '{{7*7}}${7*7}',
  '\uD800',
  '👩‍👩‍👧‍👦\u202E',
  '__proto__',
  'constructor',
  '-1',
  '0',
  '1e999',
  '99999999999999999999',
  'NaN',
  'null',
  'true',
  '[]',
];
const WRONG_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  'x'.repeat(100_000),
  '\u0000\uFFFF',
  [],
  [null],
  {},
  { toString: 1 },
  [[[[[[]]]]]],
];

let gateway: GatewayApp;
beforeAll(async () => {
  gateway = await GatewayApp.start({ settings: withTokens });
});
afterAll(() => gateway.close());

interface Attempt {
  readonly method: string;
  readonly path: string;
  readonly token?: string;
  readonly body?: string;
}

/** Makes a request. The body of a stream that does not end is not read. */
async function attempt({ method, path, token = TOKENS.operator, body }: Attempt) {
  const stop = new AbortController();
  const response = await fetch(`${gateway.url}${path}`, {
    method: method.toUpperCase(),
    headers: {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body }),
    redirect: 'manual',
    signal: stop.signal,
  });
  const type = response.headers.get('content-type') ?? '';
  const problem =
    response.status >= 400 && type === 'application/problem+json'
      ? ((await response.json()) as { status: number; detail: string; code?: string; faults?: { pointer: string }[] })
      : undefined;
  stop.abort();
  return { status: response.status, type, problem };
}

/** Checks that a request that the gateway cannot fulfil is refused in the one form, as the fault of the caller. */
async function expectCivil(request: Attempt): Promise<void> {
  const { status, type, problem } = await attempt(request);
  const name = `${request.method} ${request.path.slice(0, 200)} ${request.body?.slice(0, 200) ?? ''}`;
  expect([name, status < 500 || problem?.code === 'DRAINING' ? 'civil' : status]).toEqual([name, 'civil']);
  if (status < 400) return;
  expect([name, type]).toEqual([name, 'application/problem+json']);
  expect([name, problem?.status, typeof problem?.detail]).toEqual([name, status, 'string']);
  expect(CODES, name).toContain(problem?.code);
  if (problem?.code === 'INVALID_PAYLOAD') {
    expect([name, problem.faults?.length]).not.toEqual([name, 0]);
    for (const { pointer } of problem.faults ?? [])
      expect([name, pointer]).toEqual([name, expect.stringMatching(/^(\/|$)/)]);
  }
}

function fill(path: string, value: string): string {
  return path.replaceAll(/\{[^}]+\}/g, encodeURIComponent(value.toWellFormed()));
}

function resolve(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  return resolve(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
}

const bodyOf = ({ requestBody }: Operation) => requestBody?.content['application/json'];

describe.each(OPERATIONS)('$method $path', ({ method, path, operation }) => {
  const described = bodyOf(operation);
  const body = described && JSON.stringify(described.example);
  const queries = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');

  it('[AD-25] refuses hostile paths as the fault of the caller', async () => {
    if (!path.includes('{')) return;
    for (const text of HOSTILE_TEXTS.filter((value) => value !== ''))
      await expectCivil({ method, path: fill(path, text), ...(body !== undefined && { body }) });
  });

  it('[AD-25] refuses hostile queries as the fault of the caller', async () => {
    for (const { name } of queries)
      for (const text of HOSTILE_TEXTS) {
        const query = `?${name}=${encodeURIComponent(text.toWellFormed())}`;
        await expectCivil({ method, path: fill(path, 'x') + query, ...(body !== undefined && { body }) });
      }
    for (const query of ['?limit=1&limit=2', '?limit[a]=1', '?__proto__[a]=1', '?%=1', '?a=%'])
      await expectCivil({ method, path: fill(path, 'x') + query, ...(body !== undefined && { body }) });
  });

  it('[AD-02] refuses a cursor that it has not made', async () => {
    if (path.includes('{') || !queries.some(({ name }) => name === 'cursor')) return;
    for (const cursor of ['main', '17', 'W10', 'WzE3LCJ4Z2R6Il0']) {
      const { status, problem } = await attempt({ method, path: `${path}?cursor=${cursor}`, token: TOKENS.owner });
      expect([cursor, status, problem?.faults]).toMatchObject([cursor, 400, [{ pointer: '/cursor' }]]);
    }
  });

  it('[AD-25] refuses bodies that are missing, broken, of another form or hostile in one field', async () => {
    if (!described) return;
    const at = fill(path, 'x');
    for (const text of [undefined, '', '{', 'null', '[]', '"x"', '1', '{}', '{"__proto__":{"a":1}}', '{"unknown":1}'])
      await expectCivil({ method, path: at, ...(text !== undefined && { body: text }) });
    const whole = described.example as Record<string, unknown>;
    for (const name of Object.keys(resolve(described.schema).properties ?? {})) {
      const { [name]: _, ...without } = whole;
      await expectCivil({ method, path: at, body: JSON.stringify(without) });
      for (const value of WRONG_VALUES)
        await expectCivil({ method, path: at, body: JSON.stringify({ ...whole, [name]: value }) });
    }
  });

  it('[AD-26] is refused without a credential and with too little right', async () => {
    if (operation.security?.length === 0 || !path.startsWith('/admin/')) return;
    const at = fill(path, 'x');
    // Any operator may ask whom its credential speaks for.
    const weak = path === '/admin/v1/me' ? [] : [TOKENS.reader];
    for (const token of [TOKENS.alice, TOKENS.driver, ...weak]) {
      const { status, problem } = await attempt({ method, path: at, token, ...(body !== undefined && { body }) });
      expect([status, problem?.code]).toEqual([403, 'FORBIDDEN']);
    }
    const { status } = await attempt({ method, path: at, token: '', ...(body !== undefined && { body }) });
    expect([401, 429]).toContain(status);
  });
});
