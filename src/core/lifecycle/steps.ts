/**
 * Phases of the start, in this order. Settings have been read from file and environment by then. Code that must run at
 * the start declares a {@link StartStep} in one of them.
 */
export const START_PHASES = {
  /** No port is open yet. A failure ends the process with its message. */
  beforeListening: [
    'open', // the store opens, migrates and recovers
    'configure', // settings changed at run time take effect
    'register', // tools, request hooks: required before the first request
    'follow', // replicas begin to see each other's changes
  ],
  /** The port is open and probes report `live`. After the last phase the gateway is `ready`. */
  listening: [
    'run', // messages run, timers tick
  ],
} as const;

/** Phases of the stop, in this order. The gateway is `draining` from before the first one. */
export const STOP_PHASES = {
  /** The port is still open: probes and requests are answered, new upgrades are refused. */
  listening: [
    'refuse', // nothing new is accepted
    'announce', // clients are notified that the gateway stops
    'finish', // running turns end or go back to the queue
    'settle', // followers, timers and housekeeping stop
    'disconnect', // connections close
  ],
  /** The port is closed. After the last phase the gateway is `stopped`. */
  notListening: [
    'release', // resources outside the process are released: server processes, containers
    'close', // the store
  ],
} as const;

export type StartPhase = (typeof START_PHASES)[keyof typeof START_PHASES][number];
export type StopPhase = (typeof STOP_PHASES)[keyof typeof STOP_PHASES][number];

/** Default time limit of a stop task, in milliseconds. */
const MAX_STOP_MS = 10_000;

/**
 * Undoes a start step. It runs in the stop phase that the step names, or immediately when a later start step fails.
 * `hurry` aborts when the stop should not wait for pending work.
 */
export type Undo = (hurry: AbortSignal) => unknown;

interface StepOptions<P> {
  /** Unique name for logs and errors, for example `open the store`. */
  readonly name: string;
  readonly phase: P;
  /** Names of steps of the same phase that must run first. Unrelated steps run in the order of their names. */
  readonly after?: readonly string[];
}

export interface StartStepOptions extends StepOptions<StartPhase> {
  /** The stop phase in which the returned {@link Undo} runs. `settle` by default. */
  readonly undoneIn?: StopPhase;
  /**
   * Time limit of the undo in milliseconds, after which the stop continues without it; `Infinity` if it limits itself.
   */
  readonly undoneWithinMs?: number;
}

export interface StopStepOptions extends StepOptions<StopPhase> {
  /** Time limit in milliseconds, after which the stop continues without it. */
  readonly withinMs?: number;
}

/** The metadata of a step, with the name of the method that runs it. */
export type StepDeclaration = { readonly method: string } & (
  | ({ readonly kind: 'start' } & Required<StartStepOptions>)
  | ({ readonly kind: 'stop' } & Required<StopStepOptions>)
);

const STEPS = Symbol('lifecycle steps');

/**
 * Makes a method of a provider a step of the start. It runs once and may be asynchronous. If it rejects, the start
 * fails and the earlier steps are undone in reverse. A function that it returns is its {@link Undo}.
 */
export function StartStep(options: StartStepOptions) {
  return (target: object, method: string): void =>
    declare(target, { kind: 'start', method, after: [], undoneIn: 'settle', undoneWithinMs: MAX_STOP_MS, ...options });
}

/** Makes a method of a provider a step of the stop. It receives a signal that aborts when the stop should hurry. */
export function StopStep(options: StopStepOptions) {
  return (target: object, method: string): void =>
    declare(target, { kind: 'stop', method, after: [], withinMs: MAX_STOP_MS, ...options });
}

function declare(target: object, step: StepDeclaration): void {
  Reflect.defineMetadata(STEPS, [...listSteps(target), step], target);
}

/** Returns the steps of a provider, including those of its base classes. */
export function listSteps(provider: object): readonly StepDeclaration[] {
  return (Reflect.getMetadata(STEPS, provider) as readonly StepDeclaration[] | undefined) ?? [];
}
