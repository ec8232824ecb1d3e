import { hash } from 'node:crypto';

/** Tool names that every provider accepts. */
const ACCEPTED = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Maps the tool names of the gateway to names for models, because providers accept neither dots nor long names. The same set
 * of tools always gives the same names, so that prompt caches of providers stay valid.
 */
export class ToolNames {
  private readonly toWire = new Map<string, string>();
  private readonly toGateway = new Map<string, string>();

  constructor(names: readonly string[]) {
    // Names that need no change have priority over converted ones.
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

  /** Returns the name for models. */
  encode(name: string): string {
    return this.toWire.get(name) ?? shorten(name);
  }

  /** Returns the gateway's name. An unknown name is returned as it is; no tool has it. */
  decode(name: string): string {
    return this.toGateway.get(name) ?? name;
  }

  private add(name: string, wireName: string): void {
    this.toWire.set(name, wireName);
    this.toGateway.set(wireName, name);
  }
}

/** Returns a readable prefix with a hash, so that names do not collide. */
function shorten(name: string): string {
  return `${name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 51)}_${hash('sha256', name, 'hex').slice(0, 12)}`;
}
