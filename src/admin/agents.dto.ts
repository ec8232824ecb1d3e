import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import { Type } from 'class-transformer';
import { BINDING_FIELDS, type BindingField } from '../core/agents/agent-setting.js';
import { SETTING_SOURCES, type SettingSource } from '../core/config/load-settings.js';

/** Limits the length of a page. */
export class LimitQuery {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(200)
  limit?: number;
}

/** Selects a page of a list. */
export class PageQuery extends LimitQuery {
  /** The `next` of the page before. */
  @IsOptional()
  @IsString()
  @Length(1, 256)
  cursor?: string;
}

/** An agent. Of one that stands in for a tenant's own, only ID and name are known to that tenant. */
export class AgentDto {
  id!: string;
  /** The name that mentions use. */
  name!: string;
  description?: string;
  tenant?: string;
  /** True if it answers the messages of its tenant that no binding matches. */
  default?: boolean;
  /** As configured: `auto` is `pi` if a model is configured. */
  runtime?: string;
  model?: string;
}

export class AgentsDto {
  items!: AgentDto[];
  next?: string;
}

/** An effective setting of an agent. */
export class AgentSettingDto {
  /** Null if nothing sets it. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  value!: unknown;

  @ApiProperty({ enum: SETTING_SOURCES })
  source!: SettingSource;

  /** The key that sets it, for example `agents.ops.model` or `agent.model`. */
  key?: string;
}

/** A skill of an agent. */
export class SkillDto {
  name!: string;
  description!: string;
  /** As its author says; grants and takes no tool. */
  allowed_tools!: string[];
}

/** An agent with its effective settings. */
export class AgentDetailsDto extends AgentDto {
  /** By the name of the field, for example `model`. */
  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/AgentSettingDto' } })
  settings?: Record<string, AgentSettingDto>;

  /** The skills that it can use. */
  skills?: SkillDto[];

  /** Names of the tools that it may use in every session. */
  tools?: string[];
}

/** A binding of the setting `bindings`. */
export class BindingDto {
  /** Its place in the setting, from 0. */
  index!: number;
  agent!: string;
  channel?: string;
  account?: string;
  group_id?: string;
  thread_id?: string;
  sender?: string;
  queue?: string;
  principal?: string;
  tenant?: string;
}

export class BindingsDto {
  items!: BindingDto[];
  next?: string;
}

/** A message to find the agent of. A field that is not given matches no binding that has it. */
export class TestBindingsDto {
  @IsString()
  @Length(1, 256)
  channel!: string;

  /** The part of the channel's name after the first dot, if it is not part of `channel`. */
  @IsOptional()
  @IsString()
  @Length(1, 256)
  account?: string;

  @IsOptional()
  @IsString()
  @Length(1, 256)
  sender?: string;

  @IsOptional()
  @IsString()
  @Length(1, 256)
  group_id?: string;

  @IsOptional()
  @IsString()
  @Length(1, 256)
  thread_id?: string;

  @IsOptional()
  @IsString()
  @Length(1, 256)
  queue?: string;

  @IsOptional()
  @IsString()
  @Length(1, 256)
  principal?: string;

  /** By default the caller's. */
  @IsOptional()
  @IsString()
  @Length(1, 256)
  tenant?: string;
}

/** Why an agent answers: the binding, by its index, or because it is the default one. */
export class BecauseDto {
  binding?: number;
  default?: boolean;
}

/** A binding that matches. */
export class CandidateDto {
  index!: number;
  agent!: string;

  /** The fields that it has, all of which equal those of the message. */
  @ApiProperty({ enum: BINDING_FIELDS, isArray: true })
  matched!: BindingField[];
}

/** Who would answer. */
export class BindingTestDto {
  agent!: string;
  /** The session that exists or would be made. */
  session_id!: string;
  exists!: boolean;
  because!: BecauseDto;
  /** All bindings that match, the one that counts first. */
  candidates!: CandidateDto[];
}
