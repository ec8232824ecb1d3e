/** Surfaces, which an agent draws and a person uses beside a conversation: the part of the contract that does not depend on frames. */
import Type, { type Static } from 'typebox';
import { text } from './text.js';

const strict = { additionalProperties: false } as const;

/** The name of a surface within its session. */
export const SURFACE_ID = /^[A-Za-z0-9_-]{1,64}$/;

const surfaceId = Type.String({ pattern: SURFACE_ID.source, description: 'The name of the surface in its session.' });
const version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Counts from 1.' });

/** The kinds of surface: components of A2UI 0.9, or a page. */
export const CanvasKind = Type.Enum(['a2ui', 'html']);
export type CanvasKind = Static<typeof CanvasKind>;

/** The call of a tool of an MCP server whose result a page of that server shows: an MCP App. */
export const CanvasApp = Type.Object({
  server: Type.String({ description: 'The name of the server in the settings.' }),
  tool: Type.String({ description: 'The name that the server gave the tool.' }),
  arguments: Type.Unsafe<Record<string, unknown>>(Type.Object({}, { description: 'What the tool was called with.' })),
  result: Type.Unsafe<Record<string, unknown>>(Type.Object({}, { description: 'As the server returned it.' })),
});
export type CanvasApp = Static<typeof CanvasApp>;

/**
 * The content of a `canvas` block: one state of a surface. It is complete, so a reader needs the newest one only. The block
 * that comes last in the log counts.
 */
export const CanvasBlock = Type.Object({
  surface_id: surfaceId,
  version,
  since: Type.Integer({
    minimum: 1,
    description:
      'The version with which the surface began. A later state changes it, and what a person is typing stays.',
  }),
  kind: CanvasKind,
  title: Type.Optional(Type.String()),
  messages: Type.Optional(
    Type.Array(Type.Unknown(), { description: 'For kind a2ui: messages that make the surface.' }),
  ),
  media_id: Type.Optional(Type.String({ description: 'For kind html: the page.' })),
  app: Type.Optional(CanvasApp),
  outdated: Type.Optional(
    Type.Boolean({ description: 'True: a later state has taken its place, and what it showed is not kept any more.' }),
  ),
  closed: Type.Optional(Type.Boolean({ description: 'True: the surface is gone.' })),
});
export type CanvasBlock = Static<typeof CanvasBlock>;

/** An action of a person on a surface, in `metadata.canvas` of a message. */
export const CanvasAction = Type.Object(
  {
    surface_id: surfaceId,
    version: Type.Integer({ minimum: 1, description: 'Of the state on which the person acted.' }),
    action: text({ min: 1, max: 256, controls: false }, 'The name that the agent gave it.'),
    context: Type.Optional(
      Type.Unsafe<Record<string, unknown>>(Type.Object({}, { description: 'Values that belong to it.' })),
    ),
  },
  strict,
);
export type CanvasAction = Static<typeof CanvasAction>;

export const CanvasStatePayload = Type.Object(
  { surface_id: surfaceId, version, data: Type.Unknown({ description: 'All values, at most 64 KiB of JSON.' }) },
  strict,
);
export type CanvasStatePayload = Static<typeof CanvasStatePayload>;

export const CanvasProblemPayload = Type.Object(
  { surface_id: surfaceId, version, problem: text({ min: 1, max: 500, controls: false }, 'What went wrong.') },
  strict,
);
export type CanvasProblemPayload = Static<typeof CanvasProblemPayload>;

export const CanvasOpenPayload = Type.Object({ surface_id: surfaceId }, strict);
export type CanvasOpenPayload = Static<typeof CanvasOpenPayload>;

export const CanvasAddressPayload = Type.Object({
  surface_id: Type.String(),
  version: Type.Integer(),
  url: Type.String({
    description: 'Relative to the address of the gateway. With `/page` it is for a sandboxed frame.',
  }),
  expires_at: Type.Integer({ description: 'Unix milliseconds.' }),
});
export type CanvasAddressPayload = Static<typeof CanvasAddressPayload>;
