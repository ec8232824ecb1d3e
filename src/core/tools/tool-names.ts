import { hash } from 'node:crypto';

/** What every provider accepts as a tool's name. */
const ACCEPTED = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The gateway's tool names and those that a model is told: providers accept neither dots nor long names. The same set of
 * tools always gives the same names, so that a provider's cache keeps its worth.
 */
export class ToolNames {
  private readonly toWire = new Map<string, string>();
  private readonly toGateway = new Map<string, string>();

  constructor(names: readonly string[]) {
    // Names that need no change keep them, whatever others would become.
    const [fitting, others] = [
      names.filter((name) => ACCEPTED.test(name)),
      names.filter((name) => !ACCEPTED.test(name)),
    ];
    for (const name of fitting) this.add(name, name);
    for (const name of others) {
      const plain = name.replaceAll('.', '_');
      this.add(name, ACCEPTED.test(plain) && !this.toGateway.has(plain) ? plain : shorten(name));
    }
  }

  /** What the model is told. */
  encode(name: string): string {
    return this.toWire.get(name) ?? shorten(name);
  }

  /** The gateway's name; one that it never told comes back as it is, and no tool will be found under it. */
  decode(name: string): string {
    return this.toGateway.get(name) ?? name;
  }

  private add(name: string, wireName: string): void {
    this.toWire.set(name, wireName);
    this.toGateway.set(wireName, name);
  }
}

/** A readable beginning and a hash, so that no two names meet. */
function shorten(name: string): string {
  return `${name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 51)}_${hash('sha256', name, 'hex').slice(0, 12)}`;
}
