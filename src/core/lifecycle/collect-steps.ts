import type { DiscoveryService } from '@nestjs/core';
import { listSteps, START_PHASES, STOP_PHASES, type StepDeclaration, type Undo } from './steps.js';

/** A step of one provider, ready to run. */
export type Step = StepDeclaration & { readonly owner: string; readonly run: Undo };
export type StartableStep = Extract<Step, { kind: 'start' }>;
export type StopStep = Extract<Step, { kind: 'stop' }>;

/**
 * Returns the steps that providers of all modules declare with `@StartStep` and `@StopStep`, in the order in which they
 * run. The order depends on phase, `after` and name, and not on the order of imports.
 * @throws Error when a name is declared twice (names both owners) or when `after` cannot be satisfied
 */
export function collectSteps(discovery: DiscoveryService): {
  readonly start: readonly StartableStep[];
  readonly stop: readonly StopStep[];
} {
  const steps = findSteps(discovery);
  const start = steps.filter((step) => step.kind === 'start');
  const stop = steps.filter((step) => step.kind === 'stop');
  return {
    start: Object.values(START_PHASES).flatMap((phases) => phases.flatMap((phase) => sort(start, phase))),
    stop: Object.values(STOP_PHASES).flatMap((phases) => phases.flatMap((phase) => sort(stop, phase))),
  };
}

function findSteps(discovery: DiscoveryService): readonly Step[] {
  const byName = new Map<string, Step>();
  for (const provider of listProviders(discovery)) {
    for (const declaration of listSteps(provider)) {
      const { kind, name, method } = declaration;
      const owner = provider.constructor.name;
      const earlier = byName.get(`${kind} ${name}`);
      if (earlier) throw new Error(`The ${kind} step "${name}" is declared twice: by ${earlier.owner} and by ${owner}`);
      const run = (provider as Readonly<Record<string, Undo>>)[method] as Undo;
      byName.set(`${kind} ${name}`, { ...declaration, owner, run: (hurry) => run.call(provider, hurry) });
    }
  }
  return [...byName.values()];
}

/** A provider may have several tokens; it counts once. */
function listProviders(discovery: DiscoveryService): Set<object> {
  const instances = discovery.getProviders().map((wrapper) => wrapper.instance as unknown);
  return new Set(instances.filter((instance) => typeof instance === 'object' && instance !== null));
}

function sort<S extends Step>(steps: readonly S[], phase: S['phase']): readonly S[] {
  const waiting = steps.filter((step) => step.phase === phase).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const sorted: S[] = [];
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ after }) => after.every((name) => sorted.some((step) => step.name === name)));
    if (next === -1) {
      const names = waiting.map(({ name, after }) => `"${name}" after ${JSON.stringify(after)}`).join(', ');
      throw new Error(`The order of these steps of phase "${phase}" cannot be kept: ${names}`);
    }
    sorted.push(...waiting.splice(next, 1));
  }
  return sorted;
}
