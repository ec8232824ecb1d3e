import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  All,
  Body,
  Controller,
  Header,
  HttpCode,
  MethodNotAllowedException,
  Post,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBearerAuth,
  ApiBody,
  ApiExcludeEndpoint,
  ApiOkResponse,
  ApiTags,
} from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Speaker } from '../auth/index.js';
import { noteOfCall } from '../core/audit/audit-notes.js';
import { hashArguments } from '../core/approvals/arguments-hash.js';
import { DirectCallsService } from '../core/approvals/direct-calls.service.js';
import type { Principal } from '../core/identity/principal.js';
import { AuditStore, type AuditNote } from '../core/store/index.js';
import { ToolRegistryService, type ToolUser } from '../core/tools/tool-registry.service.js';
import { createMcpServer } from './mcp-server.js';

/** Calls need a session, for memory, files and permissions: the one of the caller's own on this channel. */
const CHANNEL = 'mcp';

const VERSION = { type: 'string', enum: ['2.0'] };
const ID = { description: 'A string or an integer.', oneOf: [{ type: 'string' }, { type: 'integer' }] };
const MEMBERS = { type: 'object', additionalProperties: true };
const REQUEST = {
  type: 'object',
  required: ['jsonrpc', 'method'],
  properties: {
    jsonrpc: VERSION,
    id: { ...ID, description: 'A string or an integer; without one it is a notification.' },
    method: { type: 'string', example: 'tools/call' },
    params: { ...MEMBERS, example: { name: 'time.now', arguments: {} } },
  },
  example: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'time.now', arguments: {} } },
};
const RESPONSE = {
  type: 'object',
  required: ['jsonrpc', 'id'],
  properties: {
    jsonrpc: VERSION,
    id: ID,
    result: { ...MEMBERS, description: 'Absent after a failure.' },
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: { code: { type: 'integer' }, message: { type: 'string' }, data: MEMBERS },
    },
  },
  example: { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: '2026-11-27T09:00:00Z' }] } },
};
const EVENT = `event: message\ndata: ${JSON.stringify(RESPONSE.example)}\n\n`;
const RESPONSES = {
  'text/event-stream': { schema: { type: 'string', example: EVENT } },
  'application/json': { schema: RESPONSE },
};

/** Serves the tools over MCP's Streamable HTTP, stateless: each request is independent, so any replica can serve it. */
@ApiTags('mcp')
@ApiBearerAuth()
@Controller('mcp')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@RequireScope('tools:call')
export class McpController {
  constructor(
    private readonly registry: ToolRegistryService,
    private readonly calls: DirectCallsService,
    private readonly audit: AuditStore,
  ) {}

  /** Handles one JSON-RPC message of the Model Context Protocol, or a batch of them. */
  @Post()
  @HttpCode(200)
  @ApiBody({ schema: REQUEST })
  @ApiOkResponse({ description: 'The responses.', content: RESPONSES })
  @ApiAcceptedResponse({ description: 'The body had no request.' })
  async receive(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Body() body: unknown,
    @Speaker() caller: Principal,
  ): Promise<void> {
    const { StreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/streamableHttp.js');
    const user = await this.calls.findUser(caller, CHANNEL);
    const server = await createMcpServer(this.registry, user, (tool, parameters, callId) =>
      this.audit.recordAudit(noteOfMcpCall(user, tool, parameters, callId)),
    );
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    // Cancels running calls when the caller disconnects.
    response.once('close', () => void server.close());
    await server.connect(transport);
    await transport.handleRequest(request, response, body);
  }

  /** Stateless: there is no stream to GET and no session to DELETE. */
  @All()
  @ApiExcludeEndpoint()
  @Header('Allow', 'POST')
  refuse(): never {
    throw new MethodNotAllowedException('Send MCP messages with POST');
  }
}

function noteOfMcpCall({ session, caller }: ToolUser, tool: string, parameters: object, callId: string): AuditNote {
  const call = { session, actor: caller.principal, tool, callId, argumentsSha256: hashArguments(parameters) };
  return { ...noteOfCall(call), action: 'mcp.call' };
}
