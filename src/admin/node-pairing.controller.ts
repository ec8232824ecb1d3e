import type { IncomingMessage } from 'node:http';
import { BadRequestException, Body, ConflictException, Controller, HttpCode, Post, Req } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiOkResponse,
  ApiTags,
  ApiTooManyRequestsResponse,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { admit, AuthService } from '../auth/index.js';
import { isPublicKey } from '../core/nodes/node-credential.js';
import { NodesService } from '../core/nodes/nodes.service.js';
import { NodeStore } from '../core/store/index.js';
import { PairDto, PairedDto } from './nodes.dto.js';
import { validated } from '../http/index.js';

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
  async pair(@Req() request: IncomingMessage, @Body(validated()) body: PairDto): Promise<PairedDto> {
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
