/**
 * Steps of the start, by phase, in this order. The settings were read from file and environment before. A part that has
 * something to start adds a {@link StartStep} to one of them.
 */
export const START_PHASES = {
  /** Nothing listens yet. A failure ends the process with its message. */
  beforeListening: [
    'open', // the store opens, migrates and recovers
    'configure', // settings that were changed at run time come into force
    'register', // tools, request hooks: what must be there before the first request
    'follow', // changes made by other replicas are noticed
  ],
  /** The port is open and the probes report `live`. After the last phase the gateway is `ready`. */
  listening: [
    'run', // messages run, timers tick
  ],
} as const;

/** Steps of the stop, by phase, in this order. The gateway is `draining`, not ready, before the first one. */
export const STOP_PHASES = {
  /** The port is still open: probes and requests are answered, new upgrades are refused. */
  listening: [
    'refuse', // parts take in nothing new
    'announce', // clients learn that the gateway goes away
    'finish', // running turns end or go back to the queue
    'settle', // followers, timers and housekeeping stop
    'disconnect', // connections close
  ],
  /** The port is closed. After the last phase the gateway is `stopped`. */
  notListening: [
    'release', // what parts hold outside the process is let go: server processes, containers
    'close', // the store
  ],
} as const;

export type StartPhase = (typeof START_PHASES)[keyof typeof START_PHASES][number];
export type StopPhase = (typeof STOP_PHASES)[keyof typeof STOP_PHASES][number];

/** Default time limit of what runs at the stop, in milliseconds. */
const MAX_STOP_MS = 10_000;

/**
 * Undoes a start step. `hurry` aborts when the stop should not wait for work under way. It runs in the stop phase that
 * its step names, or at once when a later step of the start fails.
 */
export type Undo = (hurry: AbortSignal) => unknown;

interface StepOptions<P> {
  /** For logs and errors, unique in the gateway: `open the store`. */
  readonly name: string;
  readonly phase: P;
  /** Names of steps of the same phase that must run before. Steps without a relation run in the order of their names. */
  readonly after?: readonly string[];
}

export interface StartStepOptions extends StepOptions<StartPhase> {
  /** The stop phase that runs the {@link Undo} which the method returned. `settle` by default. */
  readonly undoneIn?: StopPhase;
  /** Time limit of the undo in milliseconds, after which the stop goes on without it; `Infinity` if it limits itself. */
  readonly undoneWithinMs?: number;
}

export interface StopStepOptions extends StepOptions<StopPhase> {
  /** Time limit in milliseconds, after which the stop goes on without it. */
  readonly withinMs?: number;
}

/** A step as its decorator recorded it, with the method that runs it. */
export type StepDeclaration = { readonly method: string } & (
  | ({ readonly kind: 'start' } & Required<StartStepOptions>)
  | ({ readonly kind: 'stop' } & Required<StopStepOptions>)
);

const STEPS = Symbol('lifecycle steps');

/**
 * Makes a method of a provider a step of the start. It runs once and may be asynchronous; when it rejects the start fails
 * and the steps before are undone in reverse. A function that it returns is its {@link Undo}.
 */
export function StartStep(options: StartStepOptions) {
  return (target: object, method: string): void =>
    declare(target, { kind: 'start', method, after: [], undoneIn: 'settle', undoneWithinMs: MAX_STOP_MS, ...options });
}

/** Makes a method of a provider a step of the stop, which gets a signal that aborts when the stop should hurry. */
export function StopStep(options: StopStepOptions) {
  return (target: object, method: string): void =>
    declare(target, { kind: 'stop', method, after: [], withinMs: MAX_STOP_MS, ...options });
}

function declare(target: object, step: StepDeclaration): void {
  Reflect.defineMetadata(STEPS, [...listSteps(target), step], target);
}

/** Returns the steps of a provider, those of its base classes included. */
export function listSteps(provider: object): readonly StepDeclaration[] {
  return (Reflect.getMetadata(STEPS, provider) as readonly StepDeclaration[] | undefined) ?? [];
}
