import { Body, Controller, Get, HttpCode, Param, Post, Query, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import type { AgentDefinition } from '../core/agents/agent-definition.js';
import { BINDING_FIELDS } from '../core/agents/agent-setting.js';
import { AgentsService } from '../core/agents/agents.service.js';
import type { Principal } from '../core/identity/principal.js';
import { toSpeaker } from '../core/identity/tenant-scope.js';
import { buildSessionSeed } from '../core/sessions/session-key.js';
import { SkillsService } from '../core/skills/skills.service.js';
import { isInScope, SessionStore } from '../core/store/index.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';
import { GatewayError } from '../protocol/index.js';
import {
  AgentDetailsDto,
  AgentsDto,
  BindingsDto,
  BindingTestDto,
  TestBindingsDto,
  type AgentDto,
} from './agents.dto.js';
import { Cursors, paginate } from './pages.js';
import { CursorQuery } from './queue.dto.js';
import { validated } from '../http/index.js';

/** The fields of an `AgentDto`, which is a class for the document only. */
type AgentFields = { readonly [F in keyof AgentDto]: AgentDto[F] };

/** Lists the agents of a tenant and their bindings, and says which agent would answer a message. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@RequireScope('admin:read')
export class AgentsController {
  constructor(
    private readonly agents: AgentsService,
    private readonly tools: ToolRegistryService,
    private readonly sessions: SessionStore,
    private readonly skills: SkillsService,
  ) {}

  /** Returns the agents of the tenant, and the one that stands in for its default. */
  @Get('agents')
  @UsePipes(validated())
  listAgents(@Query() query: CursorQuery, @Viewer() { tenant }: Principal): AgentsDto {
    return paginate(
      this.agents.listOf(tenant).map((agent) => this.toDto(agent, tenant)),
      ({ id }) => id,
      query,
      new Cursors('agents', tenant),
    );
  }

  /** Returns an agent with its effective settings, the source of each, its skills and its tools. */
  @Get('agents/:id')
  async readAgent(@Param('id') id: string, @Viewer() { tenant }: Principal): Promise<AgentDetailsDto> {
    const agent = this.agents.listOf(tenant).find((candidate) => candidate.id === id);
    if (!agent) throw new GatewayError('NOT_FOUND', { what: `agent ${id}` });
    if (!isInScope(tenant, agent.tenant)) return this.toDto(agent, tenant);
    const settings = this.agents
      .explain(id)
      .map(({ field, value, source, key }) => [
        field,
        { value: value ?? null, source, ...(key !== undefined && { key }) },
      ]);
    return {
      ...this.toDto(agent, tenant),
      settings: Object.fromEntries(settings),
      skills: (await this.skills.list(agent)).map(({ name, description, allowedTools }) => ({
        name,
        description,
        allowed_tools: [...allowedTools],
      })),
      tools: this.tools
        .listToolsOf(agent)
        .map(({ name }) => name)
        .toSorted(),
    };
  }

  /** Returns the bindings of the tenant's agents, in the order of the setting. */
  @Get('bindings')
  @UsePipes(validated())
  listBindings(@Query() query: CursorQuery, @Viewer() { tenant }: Principal): BindingsDto {
    const bindings = this.agents.listBindingsOf(tenant).map(({ index, binding }) => ({ index, ...binding }));
    return paginate(bindings, ({ index }) => String(index), query, new Cursors('bindings', tenant));
  }

  /** Returns the agent that would answer a message, and why. Nothing is stored. */
  @Post('bindings/test')
  @HttpCode(200)
  @UsePipes(validated())
  async testBindings(@Body() body: TestBindingsDto, @Viewer() caller: Principal): Promise<BindingTestDto> {
    const { channel: name, account, tenant = toSpeaker(caller, caller.tenant).tenant, ...fields } = body;
    if (!isInScope(caller.tenant, tenant)) throw new GatewayError('NOT_FOUND', { what: `tenant ${tenant}` });
    const message = { ...fields, tenant, channel: nameChannel(name, account) };
    const agent = this.agents.choose(message);
    const bindings = this.agents.listBindings(message);
    const { id } = buildSessionSeed(tenant, { ...message, sender: fields.sender ?? '' }, agent.id);
    const [best] = bindings;
    return {
      agent: agent.id,
      session_id: id,
      exists: (await this.sessions.findSession(id)) !== undefined,
      because: best ? { binding: best.index } : { default: true },
      candidates: bindings.map(({ index, binding }) => ({
        index,
        agent: binding.agent,
        matched: BINDING_FIELDS.filter((field) => binding[field] !== undefined),
      })),
    };
  }

  /** Returns an agent for operators of `tenant`: only ID and name if it belongs to another one. */
  private toDto(agent: AgentDefinition, tenant: string): AgentFields {
    const { id, name, description, runtime, model } = agent;
    if (!isInScope(tenant, agent.tenant)) return { id, name };
    return {
      id,
      name,
      ...(description !== undefined && { description }),
      tenant: agent.tenant,
      default: this.agents.defaultOf(agent.tenant).id === id,
      runtime,
      ...(model !== undefined && { model }),
    };
  }
}

/** @throws GatewayError INVALID_PAYLOAD if the channel's name has another account */
function nameChannel(channel: string, account: string | undefined): string {
  const dot = channel.indexOf('.');
  const own = dot === -1 ? undefined : channel.slice(dot + 1);
  if (account === undefined || account === own || (own === undefined && account === 'default')) return channel;
  if (own === undefined) return `${channel}.${account}`;
  throw new GatewayError('INVALID_PAYLOAD', {
    faults: [{ pointer: '/account', message: `must be the account of the channel, "${own}"` }],
  });
}
