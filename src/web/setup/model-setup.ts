import { BASE_URL, findFreeName } from '../../protocol/providers.js';
import { AdminError, type AdminFailure, type AdminRequests } from './admin-requests.js';

/** A provider that can be chosen: a configured one, a server on the gateway's machine, a known one, or another server. */
export interface Candidate {
  readonly kind: 'configured' | 'here' | 'known' | 'other';
  /** Empty for another server. */
  readonly name: string;
  readonly address: string;
  /** The models that it lists. */
  readonly models: readonly string[];
  /** Why it lists no models. */
  readonly fault?: string;
}

/** The choice of a person. The key is passed on and never kept. */
export interface Choice {
  readonly candidate: Candidate;
  readonly model: string;
  /** Empty for none. */
  readonly key: string;
  /** The address of another server. */
  readonly address: string;
}

/** The part of a choice that is invalid. */
export type ChoiceFault = 'key' | 'address' | 'model';

/** The state of the gateway: candidates, or a reason why no model can be set up. */
export type Findings =
  | { readonly kind: 'candidates'; readonly candidates: readonly Candidate[] }
  /** A model is set up already, perhaps by another page. */
  | { readonly kind: 'taken'; readonly model: string }
  /** The settings say that the built-in agent answers. */
  | { readonly kind: 'builtin' };

/** The end of an attempt. */
export type Outcome =
  | { readonly kind: 'done'; readonly model: string; readonly text: string; readonly firstTokenMs: number }
  /** The model does not answer: the reason in plain words, and the provider's own. */
  | { readonly kind: 'silent'; readonly model: string; readonly reason: string; readonly detail: string }
  | { readonly kind: 'taken'; readonly model: string }
  | { readonly kind: 'failed'; readonly failure: AdminFailure; readonly detail: string }
  | { readonly kind: 'cancelled' };

interface Offer {
  readonly name: string;
  readonly base_url: string;
  readonly fault?: string;
  readonly models: readonly { readonly id: string }[];
}

interface Config {
  readonly version: number;
  readonly settings: readonly { readonly key: string; readonly value: unknown }[];
}

interface Trial {
  readonly ok: boolean;
  readonly first_token_ms?: number;
  readonly text?: string;
  readonly reason?: string;
  readonly detail?: string;
}

const MODEL = /^\S{1,400}$/;

/** The wire that most servers of models speak. */
const USUAL_API = 'openai-completions';

/** Attempts to save when other settings change at the same moment. */
const MAX_ATTEMPTS = 3;

/** Returns the first thing that is wrong with a choice; undefined if it can be tried. */
export function findChoiceFault({ candidate, model, key, address }: Choice): ChoiceFault | undefined {
  if (candidate.kind === 'other' && !BASE_URL.test(address)) return 'address';
  if (candidate.kind === 'known' && key === '') return 'key';
  return MODEL.test(model) ? undefined : 'model';
}

/** Sets up the model of a gateway that has none: it is asked one question, and saved if it answers. */
export class ModelSetup {
  #names: readonly string[] = [];

  constructor(private readonly requests: Pick<AdminRequests, 'send'>) {}

  /** Finds out what can be set up. @throws AdminError */
  async find(signal: AbortSignal): Promise<Findings> {
    const [{ settings }, models] = await Promise.all([
      this.requests.send<Config>('GET', '/config', signal),
      this.requests.send<Record<'items' | 'local_servers' | 'known_providers', readonly Offer[]>>(
        'GET',
        '/models',
        signal,
      ),
    ]);
    const model = readModel(settings);
    if (model !== undefined) return { kind: 'taken', model };
    if (settings.some(({ key, value }) => key === 'agent.runtime' && value === 'builtin')) return { kind: 'builtin' };
    this.#names = models.items.map(({ name }) => name);
    const candidates = [
      ...models.items.map((offer) => toCandidate('configured', offer)),
      ...models.local_servers.map((offer) => toCandidate('here', { ...offer, name: this.#free(offer.name) })),
      ...models.known_providers.map((offer) => toCandidate('known', offer)),
      toCandidate('other', { name: '', base_url: '', models: [] }),
    ];
    return { kind: 'candidates', candidates };
  }

  /** Asks the chosen model one question, and saves it if it answers. Never rejects. */
  async tryAndSave(choice: Choice, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#tryAndSave(choice, signal);
    } catch (error) {
      if (signal.aborted) return { kind: 'cancelled' };
      const { failure, message } = error instanceof AdminError ? error : new AdminError('failed');
      return { kind: 'failed', failure, detail: message };
    }
  }

  async #tryAndSave(choice: Choice, signal: AbortSignal): Promise<Outcome> {
    const { candidate, model } = choice;
    const provider = candidate.kind === 'other' ? this.#free(nameOf(choice.address)) : candidate.name;
    const name = `${provider}/${model}`;
    const setting = describeProvider(choice);
    const trial = await this.requests.send<Trial>('POST', '/models/test', signal, { provider, model, ...setting });
    if (signal.aborted) return { kind: 'cancelled' };
    if (!trial.ok) return { kind: 'silent', model: name, reason: trial.reason ?? '', detail: trial.detail ?? '' };
    const taken = await this.#save({ ...listChanges(provider, candidate, setting), 'agent.model': name });
    if (taken !== undefined) return { kind: 'taken', model: taken };
    return { kind: 'done', model: name, text: trial.text ?? '', firstTokenMs: trial.first_token_ms ?? 0 };
  }

  /** Saves settings, unless a model was set up meanwhile, which is then returned. It cannot be cancelled half done. */
  async #save(changes: Readonly<Record<string, unknown>>): Promise<string | undefined> {
    const { signal } = new AbortController();
    for (let attempt = 1; ; attempt++) {
      const { version, settings } = await this.requests.send<Config>('GET', '/config', signal);
      const taken = readModel(settings);
      if (taken !== undefined) return taken;
      try {
        await this.requests.send('PATCH', '/config', signal, { version, changes });
        return undefined;
      } catch (error) {
        const isStale = error instanceof AdminError && error.failure === 'stale';
        if (!isStale || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** Returns a name that no provider has. */
  #free(name: string): string {
    return findFreeName(name, (each) => this.#names.includes(each));
  }
}

/** The part of a provider's setting that a choice gives. */
interface ProviderSetting {
  readonly base_url?: string;
  readonly api_key?: string;
}

function describeProvider({ candidate, key, address }: Choice): ProviderSetting {
  const url = { configured: undefined, known: undefined, here: candidate.address, other: address }[candidate.kind];
  return { ...(url !== undefined && { base_url: url }), ...(key !== '' && { api_key: key }) };
}

/** Returns the changes of settings for a provider. Of a configured one only the key changes. */
function listChanges(name: string, { kind }: Candidate, setting: ProviderSetting): Readonly<Record<string, unknown>> {
  const { base_url: url, api_key: key } = setting;
  if (kind === 'configured') return key === undefined ? {} : { [`providers.${name}.api_key`]: key };
  return { [`providers.${name}`]: { ...(url !== undefined && { api: USUAL_API }), ...setting } };
}

function toCandidate(kind: Candidate['kind'], { name, base_url: address, models, fault }: Offer): Candidate {
  return { kind, name, address, models: models.map(({ id }) => id), ...(fault !== undefined && { fault }) };
}

function readModel(settings: Config['settings']): string | undefined {
  const value = settings.find(({ key }) => key === 'agent.model')?.value;
  return typeof value === 'string' ? value : undefined;
}

/** Returns a name for a server: `groq` for `https://api.groq.com/openai/v1`, `local` for an address without a name. */
function nameOf(address: string): string {
  const labels = new URL(address).hostname.toLowerCase().split('.');
  const label = /^\d+$|[:\]]/.test(labels[labels.length - 1] ?? '') ? undefined : labels[labels.length - 2];
  return label?.replaceAll(/[^a-z0-9-]/g, '') || 'local';
}
