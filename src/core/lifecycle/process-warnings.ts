/** The name of Node's own listener, which writes warnings to standard error as they are, with what is secret in them. */
const LISTENER_OF_NODE = 'onWarning';

/** Warnings that are kept until they have a log. */
const MAX_HELD = 100;

/** The texts of a warning, without its other properties: that of too many listeners has the whole emitter. */
export interface ProcessWarning {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly detail?: string;
  readonly stack?: string;
}

/**
 * Takes the warnings of the process in place of Node, unless they are turned off (`--no-warnings`). Returns a function that
 * undoes it.
 */
export function takeWarnings(note: (warning: ProcessWarning) => void): () => void {
  const listeners = process.listeners('warning').filter(({ name }) => name === LISTENER_OF_NODE);
  if (listeners.length === 0) return () => {};
  for (const listener of listeners) process.off('warning', listener);
  const take = (warning: Error) => note(readWarning(warning));
  process.on('warning', take);
  return () => {
    process.off('warning', take);
    for (const listener of listeners) process.on('warning', listener);
  };
}

/** Keeps the warnings of a start, whose log does not know the secrets yet. Returns a function that ends it and returns them. */
export function holdWarnings(): () => readonly ProcessWarning[] {
  const held: ProcessWarning[] = [];
  const release = takeWarnings((warning) => {
    if (held.length < MAX_HELD) held.push(warning);
  });
  return () => {
    release();
    return held.splice(0);
  };
}

/** Reading a warning of a team's code may call any code, which may throw. */
function readWarning(warning: Error): ProcessWarning {
  try {
    const { name, message, code, detail, stack } = warning as unknown as Readonly<Record<string, unknown>>;
    const others = Object.entries({ code, detail, stack }).filter(([, value]) => typeof value === 'string');
    return { name: String(name), message: String(message), ...Object.fromEntries(others) };
  } catch {
    return { name: 'Warning', message: 'unreadable' };
  }
}
