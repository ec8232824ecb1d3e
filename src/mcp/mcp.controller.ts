import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Body, Controller, MethodNotAllowedException, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { PrincipalDirectory } from '../core/identity/principal-directory.js';
import type { Principal } from '../core/identity/principal.js';
import { buildSessionSeed } from '../core/sessions/session-key.js';
import { SessionStore, type Session } from '../core/store/index.js';
import { Clock } from '../core/time/clock.js';
import { ToolRegistryService, type ToolUser } from '../core/tools/tool-registry.service.js';
import { createMcpServer } from './mcp-server.js';

const CHANNEL = 'mcp';

/**
 * The tools over MCP's Streamable HTTP, without sessions of its own: each request stands alone, so any replica answers it.
 */
@ApiExcludeController()
@Controller('mcp')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@RequireScope('tools:call')
export class McpController {
  constructor(
    private readonly registry: ToolRegistryService,
    private readonly sessions: SessionStore,
    private readonly principals: PrincipalDirectory,
    private readonly clock: Clock,
  ) {}

  /** One JSON-RPC message, or a batch of them. */
  @Post()
  async receive(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Body() body: unknown,
    @Caller() caller: Principal,
  ): Promise<void> {
    const { StreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/streamableHttp.js');
    const server = await createMcpServer(this.registry, await this.findUser(caller));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    // Ends calls that are under way when the caller goes.
    response.once('close', () => void server.close());
    await server.connect(transport);
    await transport.handleRequest(request, response, body);
  }

  /** There is nothing to be streamed to nobody's request, and no session to be ended. */
  @All()
  refuse(): never {
    throw new MethodNotAllowedException('Send MCP messages with POST');
  }

  /**
   * Calls belong to a session, for memory, files and permissions: here to one of the caller's own. It holds what the
   * caller's credential names as `tool_permissions`, besides what every session holds.
   */
  private async findUser({ tenant, principal }: Principal): Promise<ToolUser> {
    const seed = buildSessionSeed(tenant, { channel: CHANNEL, sender: principal });
    const granted = this.principals.findToolPermissions(tenant, principal) ?? [];
    const now = this.clock.now();
    const known = await this.sessions.findSession(seed.id);
    const session: Session = known ?? {
      ...seed,
      participants: [principal],
      createdAt: now,
      lastActive: now,
      memoryRefs: [],
      toolPermissions: [],
      explicitActivation: false,
      headSeq: 0,
    };
    return {
      session: { ...session, toolPermissions: [...session.toolPermissions, ...granted] },
      caller: { tenant, principal, clientId: CHANNEL },
    };
  }
}
