import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length, Matches } from 'class-validator';
import { HEADER_VALUE } from '../../core/config/setting-kinds.js';
import { BASE_URL } from '../../protocol/providers.js';
import { MayBeAbsent } from '../../http/index.js';

/** A model that a provider lists. */
export class ListedModelDto {
  /** @example "claude-sonnet-4-5" */
  id!: string;
  /**
   * In tokens; absent if unknown.
   * @example 200000
   */
  context_window?: number;
}

/** A provider, or one model of it (`provider/model`), that is asked after others for a while. */
export class RestingDto {
  /** @example "anthropic/claude-sonnet-4-5" */
  name!: string;
  /** @example "HTTP 529" */
  reason!: string;
  /** @example 30000 */
  remaining_ms!: number;
}

/** A provider that is not configured: a model server on this machine, or one that is known and needs only a key. */
export class OfferedProviderDto {
  /** @example "ollama" */
  name!: string;
  /** @example "openai-completions" */
  api!: string;
  /** @example "http://127.0.0.1:11434/v1" */
  base_url!: string;
  models!: ListedModelDto[];
}

/** In this order in the API's document, which the order of a union type would leave to the compiler. */
const STATES = ['ready', 'resting', 'unreachable'] as const;

/** A configured provider. */
export class ModelProviderDto {
  /** @example "anthropic" */
  name!: string;
  /** @example "anthropic-messages" */
  api!: string;
  /**
   * Absent for operators of another tenant than `default`, unless the provider is their tenant's own.
   * @example "https://api.anthropic.com"
   */
  base_url?: string;
  models!: ListedModelDto[];
  /** `unreachable`: it does not list its models. `resting`: it failed and is asked after others. */
  @ApiProperty({ enum: STATES })
  state!: (typeof STATES)[number];
  /**
   * Why it does not list its models.
   * @example "HTTP 401"
   */
  fault?: string;
  resting!: RestingDto[];
}

/** The providers of models. */
export class ModelsDto {
  items!: ModelProviderDto[];
  local_servers!: OfferedProviderDto[];
  /** Providers that are known by name and need only a key, with the models of the catalogue. */
  known_providers!: OfferedProviderDto[];
}

/** A model to try: of a configured provider, or of one at `base_url`. */
export class TryModelDto {
  /** @example "anthropic" */
  @Matches(/^[^/\s]{1,64}$/)
  provider!: string;

  /** @example "https://api.anthropic.com" */
  @MayBeAbsent()
  @Matches(BASE_URL)
  base_url?: string;

  /** @example "sk-ant-..." */
  @MayBeAbsent()
  @IsString()
  @Length(1, 16_384)
  @Matches(HEADER_VALUE)
  api_key?: string;

  /** @example "claude-sonnet-4-5" */
  @Matches(/^\S{1,400}$/)
  model!: string;
}

/** The outcome of a trial: the text of the model, or why there is none. */
export class ModelTrialDto {
  ok!: boolean;
  /** @example 640 */
  first_token_ms?: number;
  /** @example "pong" */
  text?: string;
  /**
   * In plain words.
   * @example "the key was refused"
   */
  reason?: string;
  /**
   * The HTTP status of the provider.
   * @example 401
   */
  status?: number;
  /**
   * The provider's own words.
   * @example "invalid x-api-key"
   */
  detail?: string;
}
