import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, Matches, Max } from 'class-validator';
import { ROLE_SCOPES } from '../core/identity/principal.js';
import { TENANT_NAME, TENANT_NAME_RULE } from '../core/identity/tenant-name.js';
import type { TokenRecord } from '../core/store/index.js';
import { SCOPES, type Role, type Scope } from '../protocol/index.js';
import { MayBeAbsent } from '../http/index.js';

const ROLES = Object.keys(ROLE_SCOPES) as Role[];
/** 1 to 256 characters without control characters and half surrogates, not all of them blank. */
const NAME = /^(?=.*\S)[^\p{Cc}\p{Cs}]{1,256}$/u;
const NAME_RULE = { message: '$property must have 1 to 256 characters, none of control, and not only blanks' };
const MAX_CHANNELS = 256;
/** The last moment of a date. */
const MAX_TIME = 8_640_000_000_000_000;

/** A token to make. */
export class TokenWishDto {
  /** @example "ci" */
  @Matches(NAME, NAME_RULE)
  readonly principal!: string;

  @IsIn(ROLES)
  @ApiProperty({ enum: ROLES, example: 'operator' })
  readonly role!: Role;

  /** Without them all of the role, which the caller must hold. */
  @MayBeAbsent()
  @IsArray()
  @ArrayMaxSize(SCOPES.length)
  @IsIn(SCOPES, { each: true })
  @ApiProperty({ enum: SCOPES, isArray: true, required: false, example: ['admin:read'] })
  readonly scopes?: Scope[];

  /**
   * Without it the caller's.
   * @example "default"
   */
  @MayBeAbsent()
  @Matches(TENANT_NAME, { message: `$property must be ${TENANT_NAME_RULE}` })
  readonly tenant?: string;

  /**
   * The channels that it is bound to.
   * @example ["webchat"]
   */
  @MayBeAbsent()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_CHANNELS)
  @Matches(NAME, { each: true, ...NAME_RULE })
  readonly channels?: string[];

  /**
   * The one sender of role `user`; without it the principal.
   * @example "ci"
   */
  @MayBeAbsent()
  @Matches(NAME, NAME_RULE)
  readonly sender?: string;

  /**
   * Unix milliseconds; without it the token does not expire.
   * @example 1798358400000
   */
  @MayBeAbsent()
  @Max(MAX_TIME)
  @IsInt()
  readonly expires_at?: number;
}

/** A token. The secret is not known to the gateway. */
export class TokenDto {
  /** @example "t0mg3k9x2a1b2c3d4" */
  id!: string;
  /** @example "default" */
  tenant!: string;
  /** @example "ci" */
  principal!: string;
  @ApiProperty({ enum: ROLES, example: 'operator' })
  role!: Role;
  @ApiProperty({ enum: SCOPES, isArray: true, example: ['admin:read'] })
  scopes!: readonly Scope[];
  /** @example ["webchat"] */
  @ApiProperty({ type: [String], required: false })
  channels?: readonly string[];
  /** @example "ci" */
  sender?: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  created_at!: number;
  /**
   * The principal that has made it.
   * @example "ann"
   */
  created_by!: string;
  /**
   * Unix milliseconds.
   * @example 1798358400000
   */
  expires_at?: number;
}

/** A token that was made, with its secret, which is shown once. */
export class MadeTokenDto extends TokenDto {
  /** @example "oct_ycUQK0nZr3vXyWbMAHi2rDFCoXq2yA8p5nGz0m9qvJ4" */
  token!: string;
}

export class TokensDto {
  items!: TokenDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** The principal of a credential, with its rights. */
export class MeDto {
  /** @example "ann" */
  principal!: string;
  /** @example "default" */
  tenant!: string;
  @ApiProperty({ enum: ROLES, example: 'operator' })
  role!: Role;
  /** True if it may use what belongs to the whole gateway, such as the settings and the logs. */
  all_tenants!: boolean;
  @ApiProperty({ enum: SCOPES, isArray: true, example: ['admin:read'] })
  scopes!: readonly Scope[];
  /** @example ["webchat"] */
  @ApiProperty({ type: [String], required: false })
  channels?: readonly string[];
  /**
   * When the credential expires, in Unix milliseconds.
   * @example 1798358400000
   */
  expires_at?: number;
}

export function toTokenDto(record: TokenRecord): TokenDto {
  const { id, tenant, principal, role, scopes, channels, sender, createdAt, createdBy, expiresAt } = record;
  return {
    ...{ id, tenant, principal, role, scopes },
    ...(channels && { channels }),
    ...(sender !== undefined && { sender }),
    created_at: createdAt,
    created_by: createdBy,
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
  };
}
