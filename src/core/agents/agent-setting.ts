import Type, { type Static } from 'typebox';
import { TenantName } from '../identity/tenant-name.js';

/** The pattern of an agent's ID. */
export const AGENT_ID = /^[a-z0-9-]{1,32}$/;

/** The agent that always exists: `agent.*` defines it, `agents.main.*` refines it. */
export const MAIN_AGENT = 'main';

/** `provider/model`. */
export const ModelName = { pattern: '^[^/\\s]+/\\S+$', maxLength: 512 } as const;

/** The name that mentions use. */
export const MentionName = { pattern: '^[\\p{L}\\p{N}_-]{1,64}$' } as const;

/** The treatment of a message that arrives during a turn. */
export const BusyPolicy = Type.Enum(['followup', 'steer', 'collect', 'interrupt']);
export type BusyPolicy = Static<typeof BusyPolicy>;

export const RuntimeName = Type.Enum(['auto', 'builtin', 'pi']);
export const Thinking = Type.Enum(['low', 'medium', 'high']);

/** Maximum number of models that stand in for another. */
export const MAX_FALLBACKS = 8;
const MAX_LISTED = 256;
const BoundName = Type.String({ minLength: 1, maxLength: 256 });
const Paths = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 4_096 }), {
      maxItems: MAX_LISTED,
      'x-path': true,
      'x-scope': 'config:dangerous',
      description,
    }),
  );
const ToolPatterns = Type.Optional(
  Type.Array(Type.String({ pattern: '^[A-Za-z0-9_.*-]{1,128}$' }), { maxItems: MAX_LISTED }),
);

/** The settings of one agent. Missing ones are as in `agent.*` and `tools.default_permissions`. */
export const AgentSetting = Type.Object(
  {
    name: Type.Optional(Type.String(MentionName)),
    description: Type.Optional(Type.String({ maxLength: 1_024 })),
    default: Type.Optional(Type.Boolean()),
    runtime: Type.Optional(RuntimeName),
    model: Type.Optional(Type.String(ModelName)),
    fallbacks: Type.Optional(Type.Array(Type.String(ModelName), { maxItems: MAX_FALLBACKS })),
    thinking: Type.Optional(Thinking),
    /** In tokens. */
    max_output_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000 })),
    turn_timeout_ms: Type.Optional(Type.Integer({ minimum: 100, maximum: 86_400_000 })),
    busy_policy: Type.Optional(BusyPolicy),
    system_prompt: Type.Optional(Type.String({ maxLength: 65_536 })),
    prompt_files: Paths('Markdown files that follow the system prompt.'),
    skills: Paths('Folders of skills.'),
    permissions: Type.Optional(Type.Array(BoundName, { maxItems: MAX_LISTED, 'x-scope': 'config:dangerous' })),
    tools: Type.Optional(
      Type.Object(
        { allow: ToolPatterns, deny: ToolPatterns },
        { additionalProperties: false, 'x-scope': 'config:dangerous' },
      ),
    ),
    workspace: Type.Optional(Type.Enum(['session', 'agent'], { 'x-scope': 'config:dangerous' })),
    tenant: Type.Optional(TenantName({ 'x-scope': 'config:dangerous' })),
  },
  { additionalProperties: false },
);
export type AgentSetting = Static<typeof AgentSetting>;

const BoundValue = Type.Optional(BoundName);

/** Which agent answers messages with these fields. */
export const BindingSetting = Type.Object(
  {
    agent: Type.String({ pattern: AGENT_ID.source }),
    channel: BoundValue,
    account: BoundValue,
    group_id: BoundValue,
    thread_id: BoundValue,
    sender: BoundValue,
    queue: BoundValue,
    principal: BoundValue,
    tenant: Type.Optional(TenantName()),
  },
  { additionalProperties: false },
);
export type BindingSetting = Static<typeof BindingSetting>;

/** The fields of a binding that messages are compared with, the most specific one first. */
export const BINDING_FIELDS = [
  'thread_id',
  'group_id',
  'queue',
  'sender',
  'account',
  'principal',
  'channel',
  'tenant',
] as const satisfies readonly (keyof BindingSetting)[];
export type BindingField = (typeof BINDING_FIELDS)[number];
