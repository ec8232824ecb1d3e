import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { GatewayError } from '../../protocol/index.js';
import { ModelRest, type Resting } from '../pi/model-rest.js';
import { listKnown } from '../pi/pi-models.js';
import { completeProvider, findProvider, isForTenant, KNOWN_PROVIDERS, type Provider } from '../pi/providers.js';
import { findLocalServers, type LocalServer } from './local-servers.js';
import { listModels, type ListedModel } from './model-lists.js';
import { tryModel, type ModelTrial } from './model-trial.js';

/** A configured provider as operators see it. */
export interface ListedProvider {
  readonly name: string;
  readonly provider: Provider;
  /** Empty if the provider lists none. */
  readonly models: readonly ListedModel[];
  /** Why it lists no models; undefined if it does. */
  readonly fault: string | undefined;
  /** The rests of the provider and of its models. */
  readonly resting: readonly Resting[];
}

/** A provider that is not configured. */
export type OfferedProvider = Pick<ListedProvider, 'name' | 'provider' | 'models'>;

/** A model to try: of a configured provider, or of one that is only described. */
export interface TrialRequest {
  readonly provider: string;
  readonly model: string;
  readonly baseUrl?: string | undefined;
  readonly apiKey?: string | undefined;
}

/** Lists providers with their models, and tries models. */
@Injectable()
export class ModelsService {
  constructor(
    private readonly config: ConfigStoreService,
    private readonly rest: ModelRest,
  ) {}

  /** Returns the providers that agents of `tenant` may name. Requests the list of models of each. */
  async listProviders(tenant: string): Promise<ListedProvider[]> {
    const providers = this.config.get('providers');
    const resting = this.rest.list();
    return Promise.all(
      Object.keys(providers).flatMap((name) => {
        const provider = findProvider(providers, name);
        if (!provider || !isForTenant(provider, tenant)) return [];
        const own = resting.filter((one) => one.name === name || one.name.startsWith(`${name}/`));
        return [describe(name, provider, own)];
      }),
    );
  }

  /** Returns the model servers of this machine that are not configured. */
  async findLocalServers(): Promise<LocalServer[]> {
    const configured = new Set(Object.values(this.config.get('providers')).map(({ base_url }) => base_url));
    return (await findLocalServers()).filter(({ provider }) => !configured.has(provider.base_url));
  }

  /** Returns the providers that need only a key and are not configured, with the models of pi's catalogue. */
  async listKnownProviders(): Promise<OfferedProvider[]> {
    const configured = this.config.get('providers');
    const known = KNOWN_PROVIDERS.filter((name) => !Object.hasOwn(configured, name)).map(async (name) => {
      const provider = completeProvider(name, {});
      const models = (await listKnown(name)).map(({ id, contextWindow }) => ({ id, contextWindow }));
      return provider ? [{ name, provider, models }] : [];
    });
    return (await Promise.all(known)).flat();
  }

  /**
   * Asks a model one question. A key of the settings goes to the address of the settings only.
   * @param tenant whose agents may name a configured provider
   * @throws GatewayError INVALID_PAYLOAD if the provider is neither configured nor described
   */
  tryModel({ provider: name, model, baseUrl, apiKey }: TrialRequest, tenant: string): Promise<ModelTrial> {
    const providers = this.config.get('providers');
    const found = Object.hasOwn(providers, name) ? providers[name] : undefined;
    const configured = found && isForTenant(found, tenant) ? found : undefined;
    const { api_key: _key, headers: _headers, ...others } = configured ?? {};
    const setting = {
      ...(baseUrl === undefined ? configured : { ...others, base_url: baseUrl }),
      ...(apiKey === undefined ? {} : { api_key: apiKey }),
    };
    // A server that is only described speaks the wire that most do.
    const provider =
      completeProvider(name, setting) ?? completeProvider(name, { api: 'openai-completions', ...setting });
    if (!provider) {
      const message = `the provider "${name}" is not configured: give its base_url`;
      throw new GatewayError('INVALID_PAYLOAD', { faults: [{ pointer: '/provider', message }] });
    }
    return tryModel(`${name}/${model}`, provider);
  }
}

async function describe(name: string, provider: Provider, resting: readonly Resting[]): Promise<ListedProvider> {
  try {
    return { name, provider, models: await listModels(name, provider), fault: undefined, resting };
  } catch (error) {
    return { name, provider, models: [], fault: (error as Error).message, resting };
  }
}
