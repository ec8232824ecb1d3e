/** The commands and events of device nodes: the part of their frames that does not depend on the envelope. */
import Type, { type Static } from 'typebox';
import { text } from './text.js';

const strict = { additionalProperties: false } as const;

/** A value of JSON of any kind. */
const AnyJson = Type.Unknown();

const callId = text({ min: 1, max: 128, controls: false }, 'From `tool_call`.');

/** A command as a node describes it. What it says of itself is a claim, which the gateway vets. */
export const NodeCommand = Type.Object(
  {
    name: text({ min: 1, max: 128, controls: false }, 'The tool is `node.NODE_ID.NAME`.'),
    description: text({ min: 0, max: 4_096, controls: true }),
    // Not a record: that would test every key of the schema against a pattern.
    parameters: Type.Unsafe<Record<string, unknown>>(
      Type.Object({}, { description: 'A JSON Schema of an object, at most 64 KB, without references to elsewhere.' }),
    ),
    permissions: Type.Optional(
      Type.Array(text({ min: 1, max: 128, controls: false }), {
        maxItems: 16,
        description: 'Permissions that the session must hold, besides `node:NODE_ID`.',
      }),
    ),
    timeout_ms: Type.Optional(
      Type.Number({ description: 'Milliseconds, at least 1000; more than `agent.turn_timeout_ms` is cut to it.' }),
    ),
    idempotent: Type.Optional(Type.Boolean({ description: 'The same call may run again if its outcome was lost.' })),
    dangerous: Type.Optional(Type.Boolean({ description: 'A person must approve each call.' })),
  },
  strict,
);
export type NodeCommand = Static<typeof NodeCommand>;

export const NodeRegisterPayload = Type.Object(
  {
    node_id: text({ min: 1, max: 64, controls: false }),
    commands: Type.Array(NodeCommand, { description: 'All commands; they replace those of an earlier frame.' }),
    platform: Type.Optional(text({ min: 1, max: 64, controls: false }, 'For people, for example `darwin arm64`.')),
    version: Type.Optional(text({ min: 1, max: 64, controls: false }, 'The version of the program, for people.')),
  },
  strict,
);
export type NodeRegisterPayload = Static<typeof NodeRegisterPayload>;

export const ToolResultPayload = Type.Object(
  {
    call_id: callId,
    ok: Type.Boolean(),
    content: Type.Optional(AnyJson),
    error: Type.Optional(
      Type.Object(
        {
          code: Type.String({
            pattern: '^[A-Z][A-Z0-9_]{0,63}$',
            description: '`UNKNOWN` where the outcome is lost.',
          }),
          message: text({ min: 0, max: 4_096, controls: true }),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type ToolResultPayload = Static<typeof ToolResultPayload>;

export const NodeEventPayload = Type.Object(
  {
    event_id: Type.Optional(
      text({ min: 1, max: 128, controls: false }, 'Remembered for 24 hours; answered by `node_event_ack`.'),
    ),
    call_id: Type.Optional(callId),
    event: Type.String({
      pattern: '^[A-Za-z0-9_.-]{1,64}$',
      description: 'The name. `node.hidden` and `node.visible` report whether a page is in front.',
    }),
    data: Type.Optional(AnyJson),
  },
  strict,
);
export type NodeEventPayload = Static<typeof NodeEventPayload>;
