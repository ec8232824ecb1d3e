import type { OpenAPIObject } from '@nestjs/swagger';
import { errorTable } from '../../protocol/index.js';
import { codeOfStatus, PROBLEM_MEDIA_TYPE } from '../problem.js';

/** Statuses of failures that have no other code. */
const PLAIN_STATUSES = [400, 401, 403, 404, 405, 409, 413, 415, 421, 429, 503];

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457. With the fields of an `error` frame if the code is of the error table.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  example: {
    type: 'urn:openclaw:error:not_found',
    title: 'Not Found',
    status: 404,
    detail: 'Not found: job j1',
    code: 'NOT_FOUND',
    retryable: false,
    details: { what: 'job j1' },
  },
  properties: {
    type: { type: 'string', description: '`about:blank`, or `urn:openclaw:error:CODE`.', example: 'about:blank' },
    title: { type: 'string', example: 'Not Found' },
    status: { type: 'integer', example: 404 },
    detail: { type: 'string', description: 'What is wrong, and what to do.', example: 'There is no job j1.' },
    code: {
      type: 'string',
      description: 'Of the error table; the name of the status if a failure has only that.',
      enum: [...new Set([...Object.keys(errorTable), ...PLAIN_STATUSES.map(codeOfStatus)])],
      example: 'NOT_FOUND',
    },
    retryable: { type: 'boolean' },
    retry_after_ms: {
      type: 'integer',
      description: 'Also in seconds, as the header `Retry-After`.',
      example: 1_000,
    },
    details: {
      type: 'object',
      additionalProperties: true,
      description: 'Depends on the code.',
      example: { what: 'job j1' },
    },
    faults: {
      type: 'array',
      description: 'Where the request is wrong, each by a JSON pointer into its body or its query.',
      items: {
        type: 'object',
        required: ['pointer', 'message'],
        properties: {
          pointer: { type: 'string', example: '/limit' },
          message: { type: 'string', example: 'limit must not be greater than 200' },
        },
      },
    },
  },
};

/** Calls that may be about any tenant. */
const ADMINISTRATION = '/admin/v1/';

const TENANT = {
  name: 'tenant',
  in: 'query',
  required: false,
  description: 'The tenant that the call is about, for operators of all; by default all, or the own one.',
  schema: { type: 'string', minLength: 1, maxLength: 256, example: 'default' },
};

/** Failures of every request, of those with a credential, with a body, and with a parameter in the path. */
const OF_ALL = {
  400: 'The request is malformed, or carries a token in its query.',
  403: 'The caller may not do this, or the request comes from a page of another origin.',
  421: 'The `Host` is not one of the gateway.',
  429: 'Too many connections, failed authentications or requests.',
};
const OF_GUARDED = {
  401: 'The credential is missing or wrong.',
  503: 'The store or the verifier of the credential does not respond.',
};
const OF_BODY = { 413: 'The body is too large.', 415: 'The type of the body is not accepted.' };
const OF_PATH = { 404: 'There is no such resource, or the caller may not see it.' };

/** An operation of the document, as far as it is completed here. */
interface Operation {
  security?: unknown[];
  readonly requestBody?: object;
  parameters?: readonly { readonly in: string; readonly name?: string }[];
  readonly responses: Record<string, { readonly description: string; content?: object }>;
}

/**
 * Completes a document with what no decorator has to repeat: the failures of each operation with the body of all failures, the
 * tenant that an operation of the administration is about, and that an operation without a scheme needs no credential. What an operation states itself stays.
 */
export function addProblems(document: OpenAPIObject): OpenAPIObject {
  const components = (document.components ??= {});
  components.schemas = { ...components.schemas, Problem: PROBLEM } as typeof components.schemas;
  for (const [path, item] of Object.entries(document.paths)) {
    for (const operation of Object.values(item) as Operation[]) {
      if (path.startsWith(ADMINISTRATION)) operation.parameters = [...(operation.parameters ?? []), TENANT];
      completeOperation(operation);
    }
  }
  return document;
}

function completeOperation(operation: Operation): void {
  const isGuarded = operation.security !== undefined;
  operation.security ??= [];
  const failures = {
    ...OF_ALL,
    ...(isGuarded && OF_GUARDED),
    ...(operation.requestBody && OF_BODY),
    ...(operation.parameters?.some((parameter) => parameter.in === 'path') && OF_PATH),
  };
  for (const [status, description] of Object.entries(failures)) operation.responses[status] ??= { description };
  for (const [status, response] of Object.entries(operation.responses)) {
    if (Number(status) < 400 || response.content !== undefined) continue;
    response.content = { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } };
  }
}
