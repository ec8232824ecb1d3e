import type { OpenAPIObject } from '@nestjs/swagger';

type Json = Record<string, unknown>;

/** Keywords whose values are data and not schemas. */
const DATA = new Set(['example', 'examples', 'default', 'const', 'enum']);

/** Rewrites the forms of OpenAPI 3.0 that @nestjs/swagger leaves in a document of 3.1: limits that are exclusive by a flag. */
export function toOpenApi31(document: OpenAPIObject): OpenAPIObject {
  rewrite(document);
  return document;
}

function rewrite(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) if (!DATA.has(key)) rewrite(value);
  rewriteLimit(node as Json, 'minimum', 'exclusiveMinimum');
  rewriteLimit(node as Json, 'maximum', 'exclusiveMaximum');
}

function rewriteLimit(schema: Json, limit: string, exclusive: string): void {
  if (typeof schema[exclusive] !== 'boolean') return;
  if (schema[exclusive] && schema[limit] !== undefined) {
    schema[exclusive] = schema[limit];
    delete schema[limit];
  } else delete schema[exclusive];
}

/** Names an operation: `sessions_list`. */
export function nameOperation(controller: string, method: string): string {
  const name = controller.replace(/Controller$/, '');
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}_${method}`;
}

/** Gives each operation an ID of its own: two controllers of one name, such as of a team's module, would share theirs. */
export function separateOperations(document: OpenAPIObject): OpenAPIObject {
  const taken = new Set<string>();
  for (const [path, item] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(item as Record<string, { operationId: string }>)) {
      if (taken.has(operation.operationId))
        operation.operationId += `_${method}${path.replaceAll(/[^A-Za-z0-9]+/g, '_')}`;
      taken.add(operation.operationId);
    }
  return document;
}
