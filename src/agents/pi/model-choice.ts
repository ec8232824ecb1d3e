import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/index.js';
import type { AgentDefinition } from '../../core/agents/agent-definition.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { loadModel, type AskableModel } from './pi-models.js';
import { findProvider, splitModel } from './providers.js';

/** Which models answer, in order, and with which provider. */
@Injectable()
export class ModelChoice {
  constructor(private readonly config: ConfigStoreService) {}

  /**
   * Returns the models that may answer for an agent, the preferred one first.
   * @throws GatewayError AGENT_FAILED if none is configured
   */
  list({ model: preferred, fallbacks }: AgentDefinition): readonly string[] {
    const named = [...(preferred === undefined ? [] : [preferred]), ...fallbacks];
    const models = [...new Set(named)].filter((model) => this.findProvider(model));
    if (models.length > 0) return models;
    throw new GatewayError('AGENT_FAILED', { reason: 'no model is configured; an operator has to set agent.model' });
  }

  /** Loads one of the models of {@link list}. */
  async load(model: string, { thinking, maxOutputTokens }: AgentDefinition): Promise<AskableModel> {
    const provider = this.findProvider(model);
    if (!provider) throw new GatewayError('AGENT_FAILED', { reason: `the provider of ${model} is not configured` });
    return loadModel(model, provider, { thinking, maxOutputTokens });
  }

  private findProvider(model: string): ReturnType<typeof findProvider> {
    return findProvider(this.config.get('providers'), splitModel(model).provider);
  }
}
