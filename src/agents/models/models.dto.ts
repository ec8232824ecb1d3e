import { ApiProperty } from '@nestjs/swagger';
import { IsOptional, IsString, Length, Matches } from 'class-validator';
import { BASE_URL } from '../../protocol/providers.js';

/** A model that a provider lists. */
export class ListedModelDto {
  id!: string;
  /** In tokens; absent if unknown. */
  context_window?: number;
}

/** A provider, or one model of it (`provider/model`), that is asked after others for a while. */
export class RestingDto {
  name!: string;
  reason!: string;
  remaining_ms!: number;
}

/** A provider that is not configured: a model server on this machine, or one that is known and needs only a key. */
export class OfferedProviderDto {
  name!: string;
  api!: string;
  base_url!: string;
  models!: ListedModelDto[];
}

/** In this order in the API's document, which the order of a union type would leave to the compiler. */
const STATES = ['ready', 'resting', 'unreachable'] as const;

/** A configured provider. */
export class ModelProviderDto {
  name!: string;
  api!: string;
  /** Absent for operators of another tenant than `default`, unless the provider is their tenant's own. */
  base_url?: string;
  models!: ListedModelDto[];
  /** `unreachable`: it does not list its models. `resting`: it failed and is asked after others. */
  @ApiProperty({ enum: STATES })
  state!: (typeof STATES)[number];
  /** Why it does not list its models. */
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
  @Matches(/^[^/\s]{1,64}$/)
  provider!: string;

  @IsOptional()
  @Matches(BASE_URL)
  base_url?: string;

  @IsOptional()
  @IsString()
  @Length(1, 16_384)
  api_key?: string;

  @Matches(/^\S{1,400}$/)
  model!: string;
}

/** The outcome of a trial: the text of the model, or why there is none. */
export class ModelTrialDto {
  ok!: boolean;
  first_token_ms?: number;
  text?: string;
  /** In plain words. */
  reason?: string;
  /** The HTTP status of the provider. */
  status?: number;
  /** The provider's own words. */
  detail?: string;
}
