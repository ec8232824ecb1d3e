import type { IncomingMessage } from 'node:http';
import {
  BadRequestException,
  Body,
  ConflictException,
  Controller,
  HttpCode,
  Post,
  Req,
  ValidationPipe,
} from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiOkResponse,
  ApiTags,
  ApiTooManyRequestsResponse,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { IsOptional, IsString, Length, Matches } from 'class-validator';
import { admit, AuthService } from '../auth/index.js';
import { isPublicKey } from '../core/nodes/node-credential.js';
import { NodesService } from '../core/nodes/nodes.service.js';
import { NodeStore } from '../core/store/index.js';
import { NODE_NAME } from './nodes.dto.js';

/** A device that shows its code. */
export class PairDto {
  /** From an operator: valid once, for 10 minutes. */
  @IsString()
  @Length(1, 64)
  readonly code!: string;

  /** What the device calls itself; used where the operator gave no name. */
  @Matches(NODE_NAME, { message: 'name must have 1 to 100 characters, none of control and none of direction' })
  readonly name!: string;

  /** For people, such as `linux x64`. */
  @IsOptional()
  @Matches(/^[\x20-\x7e]{1,64}$/)
  readonly platform?: string;

  /** The Ed25519 public key of the device, 32 bytes in base64url. */
  @IsString()
  @Length(1, 64)
  readonly public_key!: string;
}

/** What a device needs for its credentials. */
export class PairedDto {
  /** Its ID: tools are named `node.NODE_ID.COMMAND`. */
  node_id!: string;
  tenant!: string;
  /** The name of the gateway in what the device signs. */
  gateway_id!: string;
}

/** Lets in devices that show a code. Origins are checked before, as for every POST. */
@ApiTags('nodes')
@Controller('nodes')
export class NodePairingController {
  constructor(
    private readonly nodes: NodesService,
    private readonly store: NodeStore,
    private readonly auth: AuthService,
  ) {}

  /** Wrong, used and expired codes are answered alike, and count as failed authentications of their address. */
  @Post('pair')
  @HttpCode(200)
  @ApiOkResponse({ type: PairedDto })
  @ApiUnauthorizedResponse({ description: 'The code is wrong, was used before, or has expired.' })
  @ApiConflictResponse({ description: 'Another node has this key.' })
  @ApiTooManyRequestsResponse({ description: 'Too many failures from this address.' })
  async pair(
    @Req() request: IncomingMessage,
    @Body(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true })) body: PairDto,
  ): Promise<PairedDto> {
    const { code, name, platform, public_key: publicKey } = body;
    if (!isPublicKey(publicKey))
      throw new BadRequestException('public_key must be an Ed25519 public key: 32 bytes in base64url');
    const outcome = await this.nodes.pair({ code, name, platform, publicKey });
    if (outcome.kind === 'keyTaken')
      throw new ConflictException('Another node has this key; make a new one, or have that node replaced');
    const refusal = 'This code is wrong, was used before, or has expired';
    const { node } = admit(outcome.kind === 'paired' ? outcome : this.auth.refuseCode(request), refusal);
    return { node_id: node.nodeId, tenant: node.tenant, gateway_id: await this.store.readGatewayId() };
  }
}
