import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsString, Length, Matches, MaxLength, ValidateIf } from 'class-validator';
import type { NodeCommandRecord } from '../core/store/index.js';
import { decodeDefinition, hashDefinition } from '../core/nodes/command-rules.js';
import type { NodeView } from '../core/nodes/nodes.service.js';
import { MayBeAbsent } from '../http/index.js';

/** A name for people: no control characters, and none that change the direction of text. */
const NODE_NAME = /^[^\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]{1,100}$/u;
const NAME_MESSAGE = { message: 'name must have 1 to 100 characters, none of control and none of direction' };

/** `*` stands for any text. */
const COMMAND_PATTERN = /^[A-Za-z0-9_.*-]{1,128}$/;
const MAX_PATTERNS = 256;

/** A device to let in. */
export class InvitationDto {
  /**
   * The ID is made of it. Without one, the name that the device gives itself.
   * @example "Kitchen Mac"
   */
  @MayBeAbsent()
  @Matches(NODE_NAME, NAME_MESSAGE)
  readonly name?: string;

  /**
   * Patterns of commands that it may offer, such as `camera.*`. Without them: all that are not dangerous.
   * @example ["camera.*","system.info"]
   */
  @MayBeAbsent()
  @IsArray()
  @ArrayMaxSize(MAX_PATTERNS)
  @Matches(COMMAND_PATTERN, { each: true })
  readonly allow?: string[];

  /**
   * The ID of a node that gets a new key, and keeps what it may do.
   * @example "kitchen-mac"
   */
  @MayBeAbsent()
  @IsString()
  @MaxLength(64)
  readonly replace?: string;
}

/** A code that lets one device in. It is shown once. */
export class PairingCodeDto {
  /** @example "K7M2P-9QX4T" */
  code!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  expires_at!: number;
  /**
   * Where people reach the gateway, if that is known: the page for devices is `/node` below it.
   * @example "https://gateway.example.org"
   */
  url?: string;
}

/** A change of a node. */
export class NodeChangeDto {
  /** @example "Office Mac" */
  @MayBeAbsent()
  @Matches(NODE_NAME, NAME_MESSAGE)
  readonly name?: string;

  /**
   * Null: all commands that are not dangerous.
   * @example ["camera.*"]
   */
  @MayBeAbsent()
  @ValidateIf((change: NodeChangeDto) => change.allow !== null)
  @IsArray()
  @ArrayMaxSize(MAX_PATTERNS)
  @Matches(COMMAND_PATTERN, { each: true })
  @ApiProperty({ type: [String], nullable: true, required: false })
  readonly allow?: string[] | null;
}

/** A command of a node. */
export class NodeCommandDto {
  /** @example "camera.snap" */
  name!: string;
  /**
   * The node's own description: untrusted text.
   * @example "Takes a picture."
   */
  description!: string;
  dangerous!: boolean;
  idempotent!: boolean;
  /** The JSON Schema of its parameters. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { type: 'object' } })
  parameters!: object;
  /**
   * The permissions that a call needs, besides that of the node.
   * @example ["camera"]
   */
  @ApiProperty({ type: [String] })
  permissions!: string[];
  /**
   * The time limit of a call, in milliseconds.
   * @example 30000
   */
  timeout_ms!: number;
  /** False if the node offers it no more. */
  offered!: boolean;
  /** The changed form, which waits until an operator allows it: all that is kept of a command. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { description: 'Takes a picture.' } })
  waiting?: object;
  /**
   * The SHA-256 of the changed form.
   * @example "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
   */
  waiting_sha256?: string;
}

/** Which changed form of a command is allowed. */
export class AllowCommandDto {
  /**
   * The `waiting_sha256` that was read; 409 if another form waits by now. Without it: whichever waits.
   * @example "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
   */
  @MayBeAbsent()
  @Matches(/^[0-9a-f]{64}$/)
  readonly sha256?: string;
}

/** A job of the cron scheduler. */
export class NodeJobDto {
  /** @example "j00mg3k9x2a1b2c3d4e5" */
  job_id!: string;
  /** @example "greet" */
  name!: string;
}

/** A device. */
export class NodeDto {
  /** @example "kitchen-mac" */
  id!: string;
  /** @example "default" */
  tenant!: string;
  /** @example "Kitchen Mac" */
  name!: string;
  /** `hidden`: its page is not in front. */
  @ApiProperty({ enum: ['away', 'connected', 'hidden'] })
  state!: string;
  /**
   * Since when it is connected, in Unix milliseconds.
   * @example 1795766400000
   */
  since?: number;
  /**
   * When it was last connected, in Unix milliseconds.
   * @example 1795766400000
   */
  last_seen_at?: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  created_at!: number;
  /** True if it has a key, false if it connects with a token. */
  paired!: boolean;
  /** @example "darwin arm64" */
  platform?: string;
  /** @example "1.0.0" */
  version?: string;
  /**
   * Patterns of commands that it may offer; absent: all that are not dangerous.
   * @example ["camera.*"]
   */
  @ApiProperty({ type: [String], required: false })
  allow?: readonly string[];
  commands!: NodeCommandDto[];
  /** The jobs that its events start, of those that name it. */
  jobs!: NodeJobDto[];
  /**
   * A warning for operators.
   * @example "two machines use this key: revoke it, and pair each of them by itself"
   */
  warning?: string;
}

export class NodesDto {
  items!: NodeDto[];
  /**
   * The cursor of the next page.
   * @example "WzE3LCJ4Z2R6Il0"
   */
  next?: string;
}

/** A device that shows its code. */
export class PairDto {
  /**
   * From an operator: valid once, for 10 minutes.
   * @example "K7M2P-9QX4T"
   */
  @IsString()
  @Length(1, 64)
  readonly code!: string;

  /**
   * The name that the device gives itself; used where the operator gave none.
   * @example "Kitchen Mac"
   */
  @Matches(NODE_NAME, NAME_MESSAGE)
  readonly name!: string;

  /**
   * For people, such as `linux x64`.
   * @example "darwin arm64"
   */
  @MayBeAbsent()
  @Matches(/^[\x20-\x7e]{1,64}$/)
  readonly platform?: string;

  /**
   * The Ed25519 public key of the device, 32 bytes in base64url.
   * @example "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
   */
  @IsString()
  @Length(1, 64)
  readonly public_key!: string;
}

/** The parts of the credentials that a device makes. */
export class PairedDto {
  /**
   * Its ID: tools are named `node.NODE_ID.COMMAND`.
   * @example "kitchen-mac"
   */
  node_id!: string;
  /** @example "default" */
  tenant!: string;
  /**
   * The name of the gateway in what the device signs.
   * @example "gw-3f9c2a71"
   */
  gateway_id!: string;
}

export function toNodeDto({ node, state, since, isContested, commands, jobs }: NodeView): NodeDto {
  const { allow, platform, version, seenAt } = node;
  return {
    id: node.nodeId,
    tenant: node.tenant,
    name: node.name,
    state,
    ...(since !== undefined && { since }),
    ...(seenAt !== undefined && { last_seen_at: seenAt }),
    created_at: node.createdAt,
    paired: node.publicKey !== undefined,
    ...(platform !== undefined && { platform }),
    ...(version !== undefined && { version }),
    ...(allow !== undefined && { allow }),
    commands: commands.map(toCommandDto),
    jobs: jobs.map(({ jobId, name }) => ({ job_id: jobId, name })),
    ...(isContested && { warning: 'two machines use this key: revoke it, and pair each of them by itself' }),
  };
}

function toCommandDto({ name, definition, pending, isOffered }: NodeCommandRecord): NodeCommandDto {
  const kept = decodeDefinition(definition);
  const waiting =
    pending === undefined ? {} : { waiting: decodeDefinition(pending), waiting_sha256: hashDefinition(pending) };
  return { name, ...kept, offered: isOffered, ...waiting };
}
