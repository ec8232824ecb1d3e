import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/index.js';
import type { AgentDefinition } from '../../core/agents/agent-definition.js';
import { AgentsService } from '../../core/agents/agents.service.js';
import { matchesPattern } from '../../core/agents/name-pattern.js';
import { BoundedMap } from '../../core/cache/bounded-map.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { SessionStore, type Session } from '../../core/store/index.js';
import { loadModel, type AskableModel } from './pi-models.js';
import { findProvider, isForTenant, splitModel, type ProviderSettings } from './providers.js';

/** A model that was chosen, or why it may not be. */
export type ChoiceOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A model that was loaded, and the setting that it comes from. */
interface LoadedModel {
  readonly providers: ProviderSettings;
  readonly target: AskableModel;
}

/** Number of models that are kept ready. */
const MAX_LOADED = 256;

/** Chooses the models of a session, in order, and their providers. */
@Injectable()
export class ModelChoice {
  /** By model and what its agents wish; each until the providers change. */
  private readonly loaded = new BoundedMap<string, LoadedModel>(MAX_LOADED);

  constructor(
    private readonly config: ConfigStoreService,
    private readonly agents: AgentsService,
    private readonly sessions: SessionStore,
  ) {}

  /**
   * Returns the models that may answer, the preferred one first: the one chosen for the session, as long as it is
   * allowed and configured, else that of the agent.
   * @throws GatewayError AGENT_FAILED if none is configured
   */
  list(agent: AgentDefinition, session: Session): readonly string[] {
    const chosen = this.findChosen(session);
    const preferred = chosen ?? agent.model;
    const named = [...(preferred === undefined ? [] : [preferred]), ...agent.fallbacks];
    const models = [...new Set(named)].filter((model) => model === chosen || this.findProvider(agent.tenant, model));
    if (models.length > 0) return models;
    throw new GatewayError('AGENT_FAILED', { reason: 'no model is configured; an operator has to set agent.model' });
  }

  /** Loads one of the models of {@link list}. */
  async load(model: string, agent: AgentDefinition): Promise<AskableModel> {
    const providers = this.config.get('providers');
    const { thinking, maxOutputTokens } = agent;
    const name = JSON.stringify([model, thinking, maxOutputTokens]);
    const known = this.loaded.get(name);
    if (known?.providers === providers) return known.target;
    const provider = findProvider(providers, splitModel(model).provider);
    if (!provider) throw new GatewayError('AGENT_FAILED', { reason: `the provider of ${model} is not configured` });
    const target = await loadModel(model, provider, { thinking, maxOutputTokens });
    this.loaded.set(name, { providers, target });
    return target;
  }

  /** Sets the model of a session; undefined for that of its agent. @throws GatewayError STORE_UNAVAILABLE */
  async choose(session: Session, model: string | undefined, actor: string): Promise<ChoiceOutcome> {
    const reason = model === undefined ? undefined : this.findFault(session.tenant, model);
    if (reason !== undefined) return { ok: false, reason };
    await this.sessions.updateSession(session.id, { model: model ?? null }, actor);
    return { ok: true };
  }

  /** Returns the model that is chosen for a session, if it is allowed and configured. */
  findChosen({ model, tenant }: Session): string | undefined {
    return model !== undefined && this.findFault(tenant, model) === undefined ? model : undefined;
  }

  /**
   * Returns the patterns of the models that sessions of a tenant may use: those of `agent.allowed_models`, else the models
   * that its own agents name. The models of an agent of the gateway that stands in are not among them.
   */
  listAllowed(tenant: string): readonly string[] {
    const named = () =>
      this.agents
        .list()
        .filter((agent) => agent.tenant === tenant)
        .flatMap(({ model, fallbacks }) => [...(model === undefined ? [] : [model]), ...fallbacks]);
    return this.config.get('agent.allowed_models') ?? [...new Set(named())];
  }

  private findFault(tenant: string, model: string): string | undefined {
    if (!this.listAllowed(tenant).some((pattern) => matchesPattern(model, pattern)))
      return `${model} is not allowed here`;
    return this.findProvider(tenant, model) ? undefined : `the provider of ${model} is not configured`;
  }

  private findProvider(tenant: string, model: string): ReturnType<typeof findProvider> {
    const provider = findProvider(this.config.get('providers'), splitModel(model).provider);
    return provider && isForTenant(provider, tenant) ? provider : undefined;
  }
}
