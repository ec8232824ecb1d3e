import type { TSchema } from 'typebox';
import { inboundTable, outboundTable, type InboundRow, type OutboundRow } from '../../src/protocol/index.js';
import { code, GENERATED, page, table } from './markdown.js';

/** The part of a schema that the tables below use: plain JSON Schema and `x-length`. */
interface Shape {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly items?: Shape;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly 'x-length'?: readonly [number, number];
}

/** Renders `docs/reference/frames.md`: every frame with its payload, field by field. */
export function renderFrames(): string {
  return page(
    '# Frames',
    GENERATED,
    'One JSON envelope `{type, id, timestamp, session_id?, payload}` in a WebSocket text frame; frames of the gateway also carry ' +
      '`correlation_id` where they respond to one, and `seq` where they are durable. The same as AsyncAPI: [asyncapi.json](asyncapi.json). ' +
      'Lengths count Unicode code points. Errors are in [errors.md](errors.md).',
    'Leave an optional field out if it has no value: `null` and an empty text are refused (Go: `omitempty`; serialisers of Kotlin, ' +
      'C#, Java and Python have a setting for it). `timestamp` is a whole number.',
    'A `history` frame has at most 1 MiB, and a single block may be long: set the message limit of your WebSocket library to at ' +
      "least 2 MiB. Python's `websockets` takes 1 MiB by default, Go's `coder/websocket` 32 KiB.",
    '## From the client',
    ...Object.entries<InboundRow>(inboundTable).flatMap(([type, row]) => [
      `### ${code(type)}`,
      `${row.summary} ${row.scope === undefined ? 'Requires no scope.' : `Scope ${code(row.scope)}.`}`,
      ...renderPayload(row.payload),
    ]),
    '## From the gateway',
    ...Object.entries<OutboundRow>(outboundTable).flatMap(([type, row]) => [
      `### ${code(type)}`,
      `${row.summary} ${row.durable ? 'Durable: it has a `seq` and can be read again with `resume`.' : 'Not durable.'}`,
      ...renderPayload(row.payload),
    ]),
  );
}

function renderPayload(schema: TSchema): string[] {
  const rows = flatten(schema, '');
  return rows.length === 0 ? ['The payload is `{}`.'] : [table(['field', 'value', 'meaning'], rows)];
}

/** Returns one row per field; the fields of an object follow its name, those of a list's entries follow `name[]`. */
function flatten(shape: Shape, prefix: string): string[][] {
  return Object.entries(shape.properties ?? {}).flatMap(([name, child]) => {
    const path = `${prefix}${name}`;
    const optional = shape.required?.includes(name) ? '' : ', optional';
    const row = [code(path), `${describeValue(child)}${optional}`, child.description ?? ''];
    const inner = child.items?.properties ? flatten(child.items, `${path}[].`) : flatten(child, `${path}.`);
    return [row, ...inner];
  });
}

function describeValue(shape: Shape): string {
  if (shape.enum) return shape.enum.map(code).join(' or ');
  if (shape.type === 'array') {
    const most = shape.maxItems === undefined ? '' : `at most ${shape.maxItems} `;
    return `list of ${most}${shape.items?.properties ? 'objects' : `(${describeValue(shape.items ?? {})})`}`;
  }
  if (shape.type === 'string') {
    const [min, max] = shape['x-length'] ?? [];
    if (max !== undefined) return `text, ${min} to ${max} characters`;
    return shape.pattern === undefined ? 'text' : `text that matches ${code(shape.pattern)}`;
  }
  if (shape.type === 'integer') return `whole number${describeRange(shape)}`;
  if (shape.type === 'boolean') return 'true or false';
  return shape.type === 'object' ? 'object' : 'anything';
}

function describeRange({ minimum, maximum }: Shape): string {
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) return ` from ${minimum} to ${maximum}`;
  return minimum === undefined ? '' : ` from ${minimum}`;
}
