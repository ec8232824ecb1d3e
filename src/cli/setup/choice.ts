import type { LocalServer, ModelTrial, Provider } from '../../setup-parts.js';
import { printable, type Terminal } from '../terminal.js';
import type { Questions } from './questions.js';
import { findFreeName } from '../../protocol/providers.js';

/** The parts of the gateway that the setup uses; tests replace some. */
export type Parts = typeof import('../../setup-parts.js');

/** A provider that can be chosen. */
export interface Candidate {
  readonly name: string;
  readonly provider: Provider;
  /** Why it is in the list. */
  readonly origin: 'settings' | 'environment' | 'this machine' | 'new';
}

/** The chosen provider and model. */
export interface Choice extends Candidate {
  readonly model: string;
  /** A key that a person has typed. */
  readonly typedKey?: string | undefined;
}

type ProviderSettings = Readonly<Record<string, Parameters<Parts['completeProvider']>[1]>>;

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Returns the providers of the settings, those with a key in the environment, and the servers of this machine. */
export function listCandidates(
  parts: Parts,
  providers: ProviderSettings,
  env: Terminal['env'],
  servers: readonly LocalServer[],
): Candidate[] {
  const configured = Object.entries(providers).flatMap(([name, setting]): Candidate[] => {
    const provider = parts.completeProvider(name, setting);
    const variable = parts.keyVariableOf(name);
    const isByKey = parts.KNOWN_PROVIDERS.includes(name) && (env[variable] ?? env[`${variable}_FILE`]) !== undefined;
    return provider ? [{ name, provider, origin: isByKey ? 'environment' : 'settings' }] : [];
  });
  const known = new Set(configured.map(({ provider }) => provider.base_url));
  const taken = new Set(Object.keys(providers));
  const found = servers
    .filter(({ provider }) => !known.has(provider.base_url))
    .map(({ name, provider }): Candidate => ({ name: takeName(name, taken), provider, origin: 'this machine' }));
  return [...configured, ...found];
}

/** Returns `name`, with a number if it is taken, and adds it to those. */
function takeName(name: string, taken: Set<string>): string {
  const free = findFreeName(name, (each) => taken.has(each));
  taken.add(free);
  return free;
}

/** Asks for a choice until its model answers, or the person keeps it although it does not. */
export async function chooseByQuestions(
  parts: Parts,
  candidates: readonly Candidate[],
  questions: Questions,
): Promise<Choice> {
  for (;;) {
    const choice = await chooseModel(parts, await chooseProvider(parts, candidates, questions), questions);
    if (choice === undefined) continue;
    const { model } = choice;
    questions.say(`\n> ${parts.TRIAL_QUESTION}`);
    const trial = await parts.tryModel(`${choice.name}/${model}`, choice.provider);
    for (const line of describeTrial(trial)) questions.say(line);
    if (trial.ok || !(await questions.confirm('Choose another one?', true))) return choice;
  }
}

/** Returns the lines to print about a trial. */
function describeTrial(trial: ModelTrial): string[] {
  if (trial.ok) return [trial.text, `(first token after ${trial.firstTokenMs} ms)`];
  return [`The model does not answer: ${trial.reason}.`, ...(trial.detail === '' ? [] : [trial.detail])];
}

async function chooseProvider(
  parts: Parts,
  candidates: readonly Candidate[],
  questions: Questions,
): Promise<Candidate & Pick<Choice, 'typedKey'>> {
  const others = parts.KNOWN_PROVIDERS.filter((name) => !candidates.some((candidate) => candidate.name === name));
  const options = [
    ...candidates.map((candidate) => ({ label: describe(candidate), value: candidate })),
    ...others.map((name) => ({ label: `${name}, with a key that you type`, value: name })),
    { label: 'another server, by its address', value: undefined },
  ];
  questions.say('\nWhere are the models?');
  const chosen = await questions.choose<Candidate | string | undefined>('Provider:', options);
  if (typeof chosen === 'object') return chosen;
  if (chosen === undefined) return describeServer(parts, questions);
  const typedKey = await questions.askSecret(`Key of ${chosen} (not shown):`);
  const provider = parts.completeProvider(chosen, { api_key: typedKey });
  if (!provider) throw new Error(`${chosen} is not known`);
  return { name: chosen, provider, origin: 'environment', typedKey };
}

function describe({ name, provider, origin }: Candidate): string {
  const place = { settings: 'configured', environment: 'key in the environment', new: '' };
  return `${name} (${origin === 'this machine' ? `running at ${provider.base_url}` : place[origin]})`;
}

async function describeServer(parts: Parts, questions: Questions): Promise<Candidate & Pick<Choice, 'typedKey'>> {
  let base_url = '';
  while (!parts.BASE_URL.test(base_url)) base_url = await questions.ask('Address of its API, as https://HOST/v1:');
  let name = '';
  while (!NAME.test(name)) name = await questions.ask('A name for it (a-z, 0-9, - and _):', 'local');
  const key = await questions.askSecret('Its key (empty if it needs none; not shown):');
  const typedKey = key === '' ? undefined : key;
  const provider: Provider = { api: 'openai-completions', base_url, ...(typedKey && { api_key: typedKey }) };
  return { name, provider, origin: 'new', typedKey };
}

/** Asks for a model, and again for a key that was typed and is refused; returns undefined for another provider. */
async function chooseModel(
  parts: Parts,
  chosen: Candidate & Pick<Choice, 'typedKey'>,
  questions: Questions,
): Promise<Choice | undefined> {
  const { name, provider, typedKey } = chosen;
  const listed = await parts.listModels(name, provider).catch((error: Error) => error);
  if (listed instanceof Error) questions.say(`${name} does not list its models: ${listed.message}.`);
  else if (listed.length > 0) {
    const options = listed.map(({ id }) => ({ label: id, value: id }));
    return { ...chosen, model: await questions.choose('Model:', options) };
  }
  if (isKeyRefused(parts, listed)) {
    if (typedKey === undefined) questions.say(adviseKey(parts, name));
    const again = await questions.askSecret('Another key (empty: another provider; not shown):');
    if (again === '') return undefined;
    return chooseModel(parts, { ...chosen, provider: { ...provider, api_key: again }, typedKey: again }, questions);
  }
  let model = '';
  while (!/^\S+$/.test(model)) model = await questions.ask('Name of the model:');
  return { ...chosen, model };
}

function isKeyRefused(parts: Parts, error: unknown): boolean {
  return error instanceof parts.StatusError && (error.status === 401 || error.status === 403);
}

function adviseKey(parts: Parts, name: string): string {
  return `Set ${parts.keyVariableOf(name)} to a key that ${name} accepts.`;
}

/** Chooses by the flags; without a flag, the first one found. @throws Error if there is none, or if it does not answer */
export async function chooseByFlags(
  parts: Parts,
  candidates: readonly Candidate[],
  {
    provider: name,
    model,
    baseUrl,
  }: { readonly provider?: string; readonly model?: string; readonly baseUrl?: string },
  { env, stderr }: Pick<Terminal, 'env' | 'stderr'>,
): Promise<Choice> {
  const chosen = baseUrl === undefined ? findCandidate(candidates, name) : describeByFlags(parts, name, baseUrl, env);
  const [first] = model === undefined ? await listByFlags(parts, chosen) : [{ id: model }];
  if (!first) throw new Error(`${chosen.name} lists no models: name one with --model`);
  const trial = await parts.tryModel(`${chosen.name}/${first.id}`, chosen.provider);
  if (!trial.ok) throw new Error([`${chosen.name}/${first.id}:`, ...describeTrial(trial)].join('\n'));
  stderr.write(`Model: ${printable(`${chosen.name}/${first.id}`, stderr)}\n`);
  for (const line of [`> ${parts.TRIAL_QUESTION}`, ...describeTrial(trial)])
    stderr.write(`${printable(line, stderr)}\n`);
  return { ...chosen, model: first.id };
}

/** @throws Error that says what to do if the provider does not list its models */
async function listByFlags(parts: Parts, { name, provider }: Candidate): ReturnType<Parts['listModels']> {
  try {
    return await parts.listModels(name, provider);
  } catch (error) {
    const advice = isKeyRefused(parts, error) ? adviseKey(parts, name) : 'Name one with --model.';
    throw new Error(`${name} does not list its models: ${(error as Error).message}. ${advice}`, { cause: error });
  }
}

function findCandidate(candidates: readonly Candidate[], name: string | undefined): Candidate {
  const found = name === undefined ? candidates[0] : candidates.find((candidate) => candidate.name === name);
  if (found) return found;
  const others = candidates.map((candidate) => candidate.name).join(', ');
  const missing = name === undefined ? 'No provider was found' : `No provider ${name} was found`;
  throw new Error(
    `${missing}${others === '' ? '' : `; there is ${others}`}: set its key, NAME_API_KEY, or give its --base-url`,
  );
}

function describeByFlags(parts: Parts, name = 'local', baseUrl: string, env: Terminal['env']): Candidate {
  if (!NAME.test(name)) throw new Error(`${name} cannot be the name of a provider`);
  if (!parts.BASE_URL.test(baseUrl)) throw new Error(`${baseUrl} is not the address of an API, as https://HOST/v1`);
  const key = parts.addUsualKeys({ [name]: { api: 'openai-completions', base_url: baseUrl } }, env)[name]?.api_key;
  const provider: Provider = {
    api: 'openai-completions',
    base_url: baseUrl,
    ...(key !== undefined && { api_key: key }),
  };
  return { name, provider, origin: 'new' };
}
