import { ApiExtraModels, ApiProperty } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';
import { BINDING_FIELDS, type BindingField } from '../core/agents/agent-setting.js';
import { ANY_JSON, MayBeAbsent } from '../http/index.js';
import { SETTING_SOURCES, type SettingSource } from '../core/config/load-settings.js';

/** An agent. Of one that stands in for a tenant's own, only ID and name are known to that tenant. */
export class AgentDto {
  /** @example "main" */
  id!: string;
  /**
   * The name that mentions use.
   * @example "ada"
   */
  name!: string;
  /** @example "Answers questions about orders." */
  description?: string;
  /** @example "default" */
  tenant?: string;
  /** True if the messages of its tenant that no binding matches go to it. */
  default?: boolean;
  /**
   * As configured: `auto` is `pi` if a model is configured.
   * @example "pi"
   */
  runtime?: string;
  /** @example "anthropic/claude-sonnet-4-5" */
  model?: string;
}

export class AgentsDto {
  items!: AgentDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** An effective setting of an agent. */
export class AgentSettingDto {
  /** Null if nothing sets it. */
  @ApiProperty({ ...ANY_JSON, example: 'anthropic/claude-sonnet-4-5' })
  value!: unknown;

  @ApiProperty({ enum: SETTING_SOURCES })
  source!: SettingSource;

  /**
   * The key that sets it, for example `agents.ops.model` or `agent.model`.
   * @example "agents.ops.model"
   */
  key?: string;
}

/** A skill of an agent. */
export class SkillDto {
  /** @example "release-notes" */
  name!: string;
  /** @example "Writes the notes of a release." */
  description!: string;
  /**
   * As its author says; grants and takes no tool.
   * @example ["http.fetch"]
   */
  allowed_tools!: string[];
}

/** An agent with its effective settings. */
@ApiExtraModels(AgentSettingDto)
export class AgentDetailsDto extends AgentDto {
  /** By the name of the field, for example `model`. */
  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/AgentSettingDto' } })
  settings?: Record<string, AgentSettingDto>;

  /** The skills that it can use. */
  skills?: SkillDto[];

  /**
   * Names of the tools that it may use in every session.
   * @example ["time.now"]
   */
  tools?: string[];
}

/** A binding of the setting `bindings`. */
export class BindingDto {
  /**
   * Its place in the setting, from 0.
   * @example 0
   */
  index!: number;
  /** @example "ops" */
  agent!: string;
  /** @example "telegram" */
  channel?: string;
  /** @example "support" */
  account?: string;
  /** @example "-1009" */
  group_id?: string;
  /** @example "7" */
  thread_id?: string;
  /** @example "5001" */
  sender?: string;
  /** @example "nightly" */
  queue?: string;
  /** @example "ann" */
  principal?: string;
  /** @example "default" */
  tenant?: string;
}

export class BindingsDto {
  items!: BindingDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** A message to find the agent of. A field that is not given matches no binding that has it. */
export class TestBindingsDto {
  /** @example "telegram" */
  @IsString()
  @Length(1, 256)
  channel!: string;

  /**
   * The part of the channel's name after the first dot, if it is not part of `channel`.
   * @example "support"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  account?: string;

  /** @example "5001" */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  sender?: string;

  /** @example "-1009" */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  group_id?: string;

  /** @example "7" */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  thread_id?: string;

  /** @example "nightly" */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  queue?: string;

  /** @example "ann" */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  principal?: string;

  /**
   * By default the caller's.
   * @example "default"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  tenant?: string;
}

/** Why an agent answers: the binding, by its index, or because it is the default one. */
export class BecauseDto {
  /** @example 0 */
  binding?: number;
  default?: boolean;
}

/** A binding that matches. */
export class CandidateDto {
  /** @example 0 */
  index!: number;
  /** @example "ops" */
  agent!: string;

  /** The fields that it has, all of which equal those of the message. */
  @ApiProperty({ enum: BINDING_FIELDS, isArray: true })
  matched!: BindingField[];
}

/** Who would answer. */
export class BindingTestDto {
  /** @example "ops" */
  agent!: string;
  /**
   * The session that exists or would be made.
   * @example "s_5b1f0c9a7d2e4f61"
   */
  session_id!: string;
  exists!: boolean;
  because!: BecauseDto;
  /** All bindings that match, the one that counts first. */
  candidates!: CandidateDto[];
}
