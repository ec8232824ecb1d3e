import type { TSchema } from 'typebox';

/** JSON Schema or any other JSON object in a document. */
type Json = Record<string, unknown>;

/** Any JSON value. */
export const ANY_JSON = {
  nullable: true,
  oneOf: ['string', 'number', 'boolean', 'object']
    .map((type): Json => ({ type }))
    .concat([{ type: 'array', items: {} }]),
};

/** Converts a schema to plain JSON Schema. The gateway's own length rule and JSON Schema's both count code points. */
export function toJsonSchema(schema: TSchema): Json {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('x-length' in value)) return value;
    const { 'x-length': length, ...rest } = value;
    const [minLength, maxLength] = length as [number, number];
    return { ...rest, ...(minLength > 0 ? { minLength } : {}), maxLength };
  }) as Json;
}

/**
 * Converts a schema with which the gateway validates to one of OpenAPI.
 * @param example of the whole
 */
export function toOpenApiSchema(schema: TSchema, example: unknown): Json {
  return { ...toJsonSchema(schema), example };
}
