import type { EgressFetch } from '../../http/egress/egress-fetch.js';
import type { Provider } from '../pi/providers.js';
import { asFields, asList } from '../pi/wire/fields.js';
import { getJson } from './get-json.js';
import { readModels, type ListedModel } from './model-lists.js';

/** A model server on this machine. */
export interface LocalServer {
  /** The name of its provider: `ollama`, `llamacpp`, `lmstudio`, `vllm`. */
  readonly name: string;
  readonly provider: Provider;
  readonly models: readonly ListedModel[];
}

/** Time limit for the response of a server on loopback, in milliseconds. */
const TIMEOUT_MS = 1_000;

/** The usual ports of model servers, and the `owned_by` of their entries in `/v1/models`. */
const USUAL: readonly { readonly name: string; readonly port: number; readonly ownedBy: string }[] = [
  { name: 'ollama', port: 11_434, ownedBy: 'library' },
  { name: 'llamacpp', port: 8_080, ownedBy: 'llamacpp' },
  { name: 'lmstudio', port: 1_234, ownedBy: 'organization_owner' },
  { name: 'vllm', port: 8_000, ownedBy: 'vllm' },
];

/**
 * Finds model servers on loopback, at their usual ports. A server of another kind at such a port is not listed.
 * @param ports other ports, by the name of the server
 */
export async function findLocalServers(
  ports: Readonly<Record<string, number>> = {},
  fetch?: EgressFetch,
): Promise<LocalServer[]> {
  const found = await Promise.all(
    USUAL.map(({ name, port }) => findAt(name, ports[name] ?? port, fetch).catch(() => undefined)),
  );
  return found.filter((server) => server !== undefined);
}

async function findAt(usualName: string, port: number, fetch?: EgressFetch): Promise<LocalServer | undefined> {
  const base_url = `http://127.0.0.1:${port}/v1`;
  const body = asFields(await getJson(`${base_url}/models`, {}, TIMEOUT_MS, fetch));
  const entries = asList(body?.['data']).map(asFields);
  // A web server that answers every path is not a model server.
  if (!Array.isArray(body?.['data']) || entries.some((entry) => typeof entry?.['id'] !== 'string')) return undefined;
  const owner = entries[0]?.['owned_by'];
  const name = USUAL.find(({ ownedBy }) => owner === ownedBy)?.name ?? usualName;
  const provider: Provider = { api: 'openai-completions', base_url };
  return { name, provider, models: await readModels(name, provider, body) };
}
