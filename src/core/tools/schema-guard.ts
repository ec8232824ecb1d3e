/** Limits of a foreign schema: length of its JSON in UTF-16 units, nesting, and number of parts with references expanded. */
const FOREIGN_SCHEMA_LIMITS = { length: 65_536, depth: 20, parts: 2_000 } as const;

/** Maximum nesting of an annotation or a constant of a schema. */
const MAX_DATA_DEPTH = 20;

/** A foreign schema that is safe to show to a model and to compile, or the reason why it is not. */
export type GuardedSchema =
  | { readonly ok: true; readonly schema: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly fault: string };

type Node = Readonly<Record<string, unknown>>;

const IN_MAPS = new Set(['properties', 'dependentSchemas']);
const IN_LISTS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const ALONE = new Set([
  'items',
  'additionalProperties',
  'not',
  'if',
  'then',
  'else',
  'contains',
  'propertyNames',
  'unevaluatedProperties',
  'unevaluatedItems',
]);
/** Keywords that are kept as they are: checking them costs no more than reading the value. */
const PLAIN = new Set([
  ...[
    'type',
    'enum',
    'const',
    'required',
    'title',
    'description',
    'default',
    'examples',
    'format',
    'dependentRequired',
  ],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['minItems', 'maxItems', 'minContains', 'maxContains', 'minProperties', 'maxProperties'],
]);
const NAMES_OF_PROTOTYPES = new Set(['__proto__', 'constructor', 'prototype']);

/** Keys under which null is a value. Under other keys it counts as missing. */
const MAY_BE_NULL = new Set(['const', 'default']);

/** The reason why a schema is refused. */
class SchemaFault extends Error {}

/**
 * Makes a JSON Schema from outside the gateway (an MCP server, a device) safe, and converts older ones (draft-04 to
 * draft-07, OpenAPI's `nullable`) to 2020-12. References within the schema are expanded, others are refused. Where a schema
 * contains itself, anything is accepted. `pattern` and `uniqueItems`, whose cost depends on the value, and unknown keywords
 * are dropped: the owner of the schema validates the value again.
 */
export function guardSchema(foreign: unknown): GuardedSchema {
  try {
    const text = JSON.stringify(foreign) as string | undefined;
    if (text === undefined || text.length > FOREIGN_SCHEMA_LIMITS.length) {
      throw new SchemaFault(`it has more than ${FOREIGN_SCHEMA_LIMITS.length} characters`);
    }
    const root: unknown = JSON.parse(text);
    if (!isNode(root)) throw new SchemaFault('it is not an object');
    const schema = new SchemaCleaner(root).clean(root, 0);
    if (!isNode(schema)) throw new SchemaFault('it is not an object');
    // The parameters of a tool are an object, even if the schema does not say so.
    return { ok: true, schema: { ...schema, type: 'object' } };
  } catch (error) {
    if (error instanceof SchemaFault) return { ok: false, fault: error.message };
    // Stack overflow: the schema nests thousands of levels deep.
    if (error instanceof RangeError) return { ok: false, fault: 'it is nested too deeply' };
    throw error;
  }
}

class SchemaCleaner {
  private parts = 0;
  /** References that are being expanded. */
  private readonly open = new Set<string>();
  /** Parts by their `$id`, and by `#NAME` for an `$anchor`. */
  private readonly named = new Map<string, Node>();

  constructor(private readonly root: Node) {
    this.collectNames(root, 0);
  }

  private collectNames(part: unknown, depth: number): void {
    if (typeof part !== 'object' || part === null || depth > 2 * FOREIGN_SCHEMA_LIMITS.depth) return;
    const { $id, $anchor } = part as Node;
    if (typeof $id === 'string') this.named.set($id.replace(/#$/, ''), part as Node);
    if (typeof $anchor === 'string') this.named.set(`#${$anchor}`, part as Node);
    for (const child of Object.values(part)) this.collectNames(child, depth + 1);
  }

  clean(schema: unknown, depth: number): Node | boolean {
    if (typeof schema === 'boolean') return schema;
    if (!isNode(schema)) throw new SchemaFault('a part of it is not a schema');
    if (depth > FOREIGN_SCHEMA_LIMITS.depth)
      throw new SchemaFault(`it is deeper than ${FOREIGN_SCHEMA_LIMITS.depth} levels`);
    if (++this.parts > FOREIGN_SCHEMA_LIMITS.parts)
      throw new SchemaFault(`it has more than ${FOREIGN_SCHEMA_LIMITS.parts} parts`);
    const entries = Object.entries(modernise(schema)).flatMap(([key, value]) => this.cleanEntry(key, value, depth));
    const cleaned = Object.fromEntries(hasPatterns(schema) ? entries.filter(([key]) => !CLOSES.has(key)) : entries);
    if (schema['$ref'] === undefined) return cleaned;
    const target = this.expand(schema['$ref'], depth);
    return Object.keys(cleaned).length === 0
      ? target
      : { ...cleaned, allOf: [...((cleaned['allOf'] as Node[] | undefined) ?? []), target] };
  }

  private cleanEntry(key: string, value: unknown, depth: number): [string, unknown][] {
    if (value === undefined || (value === null && !MAY_BE_NULL.has(key))) return [];
    if (PLAIN.has(key)) return [[key, checkDepth(value, 0)]];
    if (ALONE.has(key)) return [[key, this.clean(value, depth + 1)]];
    if (IN_LISTS.has(key)) {
      if (!Array.isArray(value)) throw new SchemaFault(`its ${key} is not a list`);
      return [[key, value.map((child) => this.clean(child, depth + 1))]];
    }
    if (IN_MAPS.has(key)) {
      if (!isNode(value)) throw new SchemaFault(`its ${key} is not a map`);
      const children = Object.entries(value).filter(([name]) => !NAMES_OF_PROTOTYPES.has(name));
      return [[key, Object.fromEntries(children.map(([name, child]) => [name, this.clean(child, depth + 1)]))]];
    }
    if (key === '$dynamicRef' || key === '$recursiveRef') throw new SchemaFault(`it uses ${key}`);
    return [];
  }

  private expand(reference: unknown, depth: number): Node | boolean {
    if (typeof reference !== 'string') throw new SchemaFault('it refers to something outside itself');
    if (this.open.has(reference)) return true;
    this.open.add(reference);
    const target = this.clean(this.find(reference), depth + 1);
    this.open.delete(reference);
    return target;
  }

  private find(reference: string): unknown {
    const [base = '', fragment = ''] = reference.split('#', 2);
    const start = base === '' ? this.root : this.named.get(base);
    const anchored = this.named.get(reference) ?? (start && this.named.get(`#${fragment}`));
    if (anchored) return anchored;
    if (!start || !/^(\/|$)/.test(fragment)) throw new SchemaFault('it refers to something outside itself');
    const steps = fragment
      .split('/')
      .slice(1)
      .map((step) => decodeStep(step).replaceAll('~1', '/').replaceAll('~0', '~'));
    return steps.reduce<unknown>((node, step) => {
      if (typeof node === 'object' && node !== null && Object.hasOwn(node, step)) return (node as Node)[step];
      throw new SchemaFault(`it refers to ${JSON.stringify(reference.slice(0, 100))}, which it does not have`);
    }, start);
  }
}

/** Converts a part of a schema of an older draft, or of OpenAPI, to 2020-12. Does not convert its children. */
function modernise(schema: Node): Node {
  const { items, additionalItems, nullable, ...rest } = schema;
  return {
    ...rest,
    // A list of schemas is a tuple; `additionalItems` is the schema of further items.
    ...(Array.isArray(items)
      ? { prefixItems: items, ...(additionalItems !== undefined && { items: additionalItems }) }
      : items !== undefined && { items }),
    ...moderniseBound(schema, 'minimum', 'exclusiveMinimum'),
    ...moderniseBound(schema, 'maximum', 'exclusiveMaximum'),
    ...(nullable === true && addNull(schema)),
  };
}

/** Converts a bound of draft-04, where `exclusive` is a flag. A key with an undefined value is dropped. */
function moderniseBound(schema: Node, bound: string, exclusive: string): Node {
  if (typeof schema[exclusive] !== 'boolean') return {};
  return schema[exclusive] ? { [exclusive]: schema[bound], [bound]: undefined } : { [exclusive]: undefined };
}

function addNull({ type, enum: values }: Node): Node {
  return {
    ...(type !== undefined && { type: [...[type].flat(), 'null'] }),
    ...(Array.isArray(values) && { enum: [...values, null] }),
  };
}

/** Keywords that close an object; dropped with `patternProperties`, or they would reject keys that the patterns allow. */
const CLOSES = new Set(['additionalProperties', 'unevaluatedProperties']);

function hasPatterns(schema: Node): boolean {
  return schema['patternProperties'] !== undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    throw new SchemaFault('it has a malformed reference');
  }
}

function checkDepth<T>(value: T, depth: number): T {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DATA_DEPTH) throw new SchemaFault(`it is deeper than ${MAX_DATA_DEPTH} levels`);
  for (const child of Object.values(value)) checkDepth(child, depth + 1);
  return value;
}
