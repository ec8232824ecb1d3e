import type { OpenAPIObject } from '@nestjs/swagger';

/** The parts of a schema from which an example is made. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly example?: unknown;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** A body in one media type. */
interface Content {
  readonly schema?: Schema;
  example?: unknown;
}

interface Operation {
  readonly requestBody?: { readonly content?: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>;
}

/**
 * Adds an example to each JSON body of a document that has none, but failures, composed of the examples of its fields, so that each field is
 * described in one place.
 */
export function addExamples(document: OpenAPIObject): OpenAPIObject {
  const schemas = (document.components?.schemas ?? {}) as Readonly<Record<string, Schema>>;
  const operations = Object.values(document.paths).flatMap((item) => Object.values(item) as Operation[]);
  for (const { requestBody, responses } of operations)
    for (const { content } of [requestBody ?? {}, ...Object.values(responses)]) {
      const json = content?.['application/json'];
      if (json?.schema) json.example ??= composeExample(json.schema, schemas);
    }
  return document;
}

/** Returns a value that fits a schema: its own example, or one of its parts. */
function composeExample(schema: Schema, schemas: Readonly<Record<string, Schema>>): unknown {
  const compose = (part: Schema) => composeExample(part, schemas);
  const { $ref, example, enum: values, allOf, anyOf, oneOf, properties, items } = schema;
  if (example !== undefined) return example;
  if (schema.const !== undefined) return schema.const;
  if ($ref !== undefined) return compose(schemas[$ref.split('/').at(-1) ?? ''] ?? {});
  if (values) return values[0];
  if (allOf) return Object.assign({}, ...allOf.map(compose)) as object;
  const [first] = anyOf ?? oneOf ?? [];
  if (first) return compose(first);
  if (properties) return Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, compose(part)]));
  if (items) return [compose(items)];
  return valueOf(schema);
}

function valueOf({ type, minimum = 1 }: Schema): unknown {
  switch (typeof type === 'object' ? type[0] : type) {
    case 'string':
      return 'text';
    case 'integer':
    case 'number':
      return minimum;
    case 'boolean':
      return true;
    case 'array':
      return [];
    default:
      return {};
  }
}
