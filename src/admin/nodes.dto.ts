import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsOptional, IsString, Matches, MaxLength, ValidateIf } from 'class-validator';
import type { NodeCommandRecord } from '../core/store/index.js';
import { decodeDefinition } from '../core/nodes/command-rules.js';
import type { NodeView } from '../core/nodes/nodes.service.js';

/** A name for people: no control characters, and none that change the direction of text. */
export const NODE_NAME = /^[^\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]{1,100}$/u;
const NAME_MESSAGE = { message: 'name must have 1 to 100 characters, none of control and none of direction' };

/** `*` stands for any text. */
const COMMAND_PATTERN = /^[A-Za-z0-9_.*-]{1,128}$/;
const MAX_PATTERNS = 256;

/** A device to let in. */
export class InvitationDto {
  /** The ID is made of it. Without one, the name that the device gives itself. */
  @IsOptional()
  @Matches(NODE_NAME, NAME_MESSAGE)
  readonly name?: string;

  /** Patterns of commands that it may offer, such as `camera.*`. Without them: all that are not dangerous. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_PATTERNS)
  @Matches(COMMAND_PATTERN, { each: true })
  readonly allow?: string[];

  /** The ID of a node that gets a new key, and keeps what it may do. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  readonly replace?: string;
}

/** A code that lets one device in. It is shown once. */
export class PairingCodeDto {
  code!: string;
  /** Unix milliseconds. */
  expires_at!: number;
}

/** A change of a node. */
export class NodeChangeDto {
  @IsOptional()
  @Matches(NODE_NAME, NAME_MESSAGE)
  readonly name?: string;

  /** Null: all commands that are not dangerous. */
  @IsOptional()
  @ValidateIf((change: NodeChangeDto) => change.allow !== null)
  @IsArray()
  @ArrayMaxSize(MAX_PATTERNS)
  @Matches(COMMAND_PATTERN, { each: true })
  @ApiProperty({ type: [String], nullable: true, required: false })
  readonly allow?: string[] | null;
}

/** A command of a node. */
export class NodeCommandDto {
  name!: string;
  /** What the node says of it: untrusted text. */
  description!: string;
  dangerous!: boolean;
  idempotent!: boolean;
  /** False if the node offers it no more. */
  offered!: boolean;
  /** What it says of it now, until an operator allows that. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  waiting?: object;
}

/** A device. */
export class NodeDto {
  id!: string;
  name!: string;
  /** connected, hidden (its page is not in front) or away. */
  state!: string;
  /** Since when it is connected, in Unix milliseconds. */
  since?: number;
  /** When it was last connected, in Unix milliseconds. */
  last_seen_at?: number;
  /** Unix milliseconds. */
  created_at!: number;
  /** True if it has a key, false if it connects with a token. */
  paired!: boolean;
  platform?: string;
  version?: string;
  /** Patterns of commands that it may offer; absent: all that are not dangerous. */
  @ApiProperty({ type: [String], required: false })
  allow?: readonly string[];
  commands!: NodeCommandDto[];
  /** What an operator should know. */
  warning?: string;
}

export class NodesDto {
  items!: NodeDto[];
  /** The cursor of the next page. */
  next?: string;
}

export function toNodeDto({ node, state, since, isContested, commands }: NodeView): NodeDto {
  const { allow, platform, version, seenAt } = node;
  return {
    id: node.nodeId,
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
    ...(isContested && { warning: 'two machines use this key: revoke it, and pair each of them by itself' }),
  };
}

function toCommandDto({ name, definition, pending, isOffered }: NodeCommandRecord): NodeCommandDto {
  const { description, dangerous, idempotent } = decodeDefinition(definition);
  const waiting = pending === undefined ? {} : { waiting: decodeDefinition(pending) };
  return { name, description, dangerous, idempotent, offered: isOffered, ...waiting };
}
