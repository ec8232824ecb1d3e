import { SURFACE_ID } from '../../../protocol/index.js';
import { CATALOG_ID } from './catalog-id.js';
import type { ComponentSchemas } from './component-schemas.js';
import { checkTree, type Component } from './component-tree.js';
import { parsePointer, writeAt } from './data-pointer.js';
import { A2uiFault, isRecord } from './fault.js';
import { vetValues } from './vet-values.js';

const VERSION = 'v0.9';
const KINDS = ['createSurface', 'updateComponents', 'updateDataModel', 'deleteSurface'] as const;
const OLD_KINDS = ['beginRendering', 'surfaceUpdate', 'dataModelUpdate'];
/** Nesting of the data. */
const MAX_DATA_DEPTH = 32;
/** Messages of one call. */
const MAX_MESSAGES = 100;

/** A surface as its messages have made it. */
export interface SurfaceState {
  readonly theme?: unknown;
  readonly components: ReadonlyMap<string, Component>;
  readonly data: unknown;
}

/** A surface after its messages, with what the agent should know. */
export interface AppliedMessages {
  readonly state: SurfaceState;
  readonly warnings: readonly string[];
}

/** A message as the agent gave it, with its place among the others. */
interface Parsed {
  readonly kind: (typeof KINDS)[number];
  readonly body: Readonly<Record<string, unknown>>;
  readonly path: string;
}

/** Returns the name that the messages give their surface, if they agree on one. @throws A2uiFault */
export function readSurfaceId(messages: readonly unknown[]): string | undefined {
  const parsed = messages.map(parseMessage);
  const ids = new Set(parsed.map(({ body }) => body['surfaceId']));
  if (ids.size > 1) throw new A2uiFault('/messages', 'must all be about one surface');
  const [id] = ids;
  if (typeof id !== 'string' || !SURFACE_ID.test(id))
    throw new A2uiFault(`${parsed[0]?.path ?? '/messages'}/surfaceId`, 'must be 1 to 64 letters, digits, _ and -');
  return id;
}

/**
 * Applies messages to a surface, all or none.
 * @param before undefined for a new surface, whose first message creates it
 * @throws A2uiFault
 */
export function applyMessages(
  before: SurfaceState | undefined,
  messages: readonly unknown[],
  schemas: ComponentSchemas,
): AppliedMessages {
  if (messages.length > MAX_MESSAGES) throw new A2uiFault('/messages', `must be at most ${MAX_MESSAGES}`);
  const warnings: string[] = [];
  let state = before;
  for (const [i, message] of messages.entries()) state = apply(state, parseMessage(message, i), schemas, warnings);
  if (!state) throw new A2uiFault('/messages', 'must begin with createSurface');
  return { state, warnings: [...warnings, ...checkTree(state.components, state.data)] };
}

/** Returns the messages that make a surface as it is. Clients send what is entered on it. */
export function toMessages({ theme, components, data }: SurfaceState, surfaceId: string): unknown[] {
  const create = { surfaceId, catalogId: CATALOG_ID, ...(theme !== undefined && { theme }), sendDataModel: true };
  return [
    { version: VERSION, createSurface: create },
    ...(components.size === 0
      ? []
      : [{ version: VERSION, updateComponents: { surfaceId, components: [...components.values()] } }]),
    { version: VERSION, updateDataModel: { surfaceId, path: '/', value: data } },
  ];
}

/** Returns a surface from the messages of {@link toMessages}. */
export function fromMessages(messages: readonly unknown[]): SurfaceState {
  const parsed = messages.map(parseMessage);
  const find = (kind: Parsed['kind']) => parsed.find((message) => message.kind === kind)?.body;
  const components = (find('updateComponents')?.['components'] ?? []) as readonly Component[];
  const theme = find('createSurface')?.['theme'];
  return {
    ...(theme !== undefined && { theme }),
    components: new Map(components.map((component) => [component.id, component])),
    data: find('updateDataModel')?.['value'] ?? {},
  };
}

function parseMessage(message: unknown, index: number): Parsed {
  const path = `/messages/${index}`;
  if (!isRecord(message)) throw new A2uiFault(path, 'must be an object');
  const old = OLD_KINDS.find((kind) => Object.hasOwn(message, kind));
  if (old !== undefined)
    throw new A2uiFault(
      `${path}/${old}`,
      'is of A2UI 0.8: use createSurface, updateComponents and updateDataModel of 0.9',
    );
  const { version = VERSION, ...rest } = message;
  if (version !== VERSION) throw new A2uiFault(`${path}/version`, `must be ${JSON.stringify(VERSION)}`);
  const [kind, ...more] = Object.keys(rest);
  if (kind === undefined || more.length > 0 || !(KINDS as readonly string[]).includes(kind))
    throw new A2uiFault(path, `must have one of ${KINDS.join(', ')}, and nothing else but version`);
  const body = rest[kind];
  if (!isRecord(body)) throw new A2uiFault(`${path}/${kind}`, 'must be an object');
  return { kind: kind as Parsed['kind'], body, path: `${path}/${kind}` };
}

function apply(
  state: SurfaceState | undefined,
  { kind, body, path }: Parsed,
  schemas: ComponentSchemas,
  warnings: string[],
): SurfaceState {
  if (kind === 'createSurface') {
    if (state)
      throw new A2uiFault(path, 'is there already: createSurface stands once, at the beginning of canvas.show');
    return createState(body, path, schemas);
  }
  if (!state) throw new A2uiFault(path, 'is about a surface that is not there: begin with createSurface');
  if (kind === 'deleteSurface') throw new A2uiFault(path, 'is not taken here: use canvas.close');
  if (kind === 'updateDataModel') return { ...state, data: changeData(state.data, body, path) };
  const components = new Map(state.components);
  for (const component of readComponents(body, path, schemas, warnings)) components.set(component.id, component);
  return { ...state, components };
}

function createState(body: Readonly<Record<string, unknown>>, path: string, schemas: ComponentSchemas): SurfaceState {
  checkFields(body, ['surfaceId', 'catalogId', 'theme', 'sendDataModel'], path);
  const { catalogId, theme } = body;
  if (catalogId !== CATALOG_ID) throw new A2uiFault(`${path}/catalogId`, `must be ${JSON.stringify(CATALOG_ID)}`);
  if (theme !== undefined) {
    schemas.checkTheme(theme, `${path}/theme`);
    if (isRecord(theme)) vetValues(theme, `${path}/theme`);
  }
  return { ...(theme !== undefined && { theme }), components: new Map(), data: {} };
}

function readComponents(
  body: Readonly<Record<string, unknown>>,
  path: string,
  schemas: ComponentSchemas,
  warnings: string[],
): readonly Component[] {
  checkFields(body, ['surfaceId', 'components'], path);
  const { components } = body;
  if (!Array.isArray(components) || components.length === 0)
    throw new A2uiFault(`${path}/components`, 'must be a list of components');
  const seen = new Set<string>();
  return components.map((component: unknown, i) => {
    const at = `${path}/components/${i}`;
    if (!isRecord(component)) throw new A2uiFault(at, 'must be an object');
    const { id } = component;
    if (typeof id !== 'string' || id === '') throw new A2uiFault(`${at}/id`, 'must be a text');
    if (seen.has(id)) throw new A2uiFault(`${at}/id`, `stands twice: ${JSON.stringify(id)}`);
    seen.add(id);
    schemas.checkComponent(component, at);
    warnings.push(...vetValues(component, at));
    return component as Component;
  });
}

function changeData(data: unknown, body: Readonly<Record<string, unknown>>, path: string): unknown {
  checkFields(body, ['surfaceId', 'path', 'value'], path);
  const { path: pointer = '/', value } = body;
  if (typeof pointer !== 'string') throw new A2uiFault(`${path}/path`, 'must be a text');
  checkData(value, `${path}/value`, 0);
  return writeAt(data, parsePointer(pointer, `${path}/path`), value, `${path}/path`);
}

function checkData(value: unknown, path: string, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DATA_DEPTH) throw new A2uiFault(path, `is deeper than ${MAX_DATA_DEPTH} levels`);
  for (const [key, part] of Object.entries(value)) {
    parsePointer(key, path);
    checkData(part, path, depth + 1);
  }
}

function checkFields(body: Readonly<Record<string, unknown>>, known: readonly string[], path: string): void {
  const unknown = Object.keys(body).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new A2uiFault(`${path}/${unknown}`, `is not known; known are ${known.join(', ')}`);
}
