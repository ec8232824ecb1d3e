import { BINDING_FIELDS, type BindingField, type BindingSetting } from './agent-setting.js';

/** The fields of a message that bindings are compared with. The account is the part of `channel` after its first dot. */
export interface BoundMessage {
  readonly tenant: string;
  readonly channel: string;
  readonly sender?: string | undefined;
  readonly principal?: string | undefined;
  readonly group_id?: string | undefined;
  readonly thread_id?: string | undefined;
  readonly queue?: string | undefined;
}

/** A binding, with its place in the setting and the tenant of its agent. */
export interface IndexedBinding {
  readonly binding: BindingSetting;
  readonly index: number;
  readonly tenant: string;
}

/** A node of the tree: one level for each field of a binding, in the order of {@link BINDING_FIELDS}. */
interface Node {
  /** By the value of the level's field; undefined without any, as in most nodes of many. */
  byValue?: Map<string, Node>;
  /** For bindings without that field. */
  any?: Node;
  /** The binding that ends here, below the last level. */
  bound?: IndexedBinding;
}

/** The account of a channel without a dot in its name. */
const DEFAULT_ACCOUNT = 'default';

/**
 * Finds the binding of a message. The bindings of a tenant are a tree with one level for each field, the most specific
 * field first; a message follows the branch of its value before the one of bindings without that field. So the first
 * binding that is reached is the most specific one, and the time does not grow with the number of bindings.
 */
export class BindingIndex {
  private readonly roots = new Map<string, Node>();

  constructor(bindings: readonly IndexedBinding[] = []) {
    for (const bound of bindings) this.add(bound);
  }

  /**
   * Adds a binding. If the tenant has one with the same fields and values, that one stays and is returned. Bindings of two
   * tenants never match the same message.
   */
  add(bound: IndexedBinding): IndexedBinding | undefined {
    let node = this.roots.get(bound.tenant);
    if (!node) this.roots.set(bound.tenant, (node = {}));
    for (const field of BINDING_FIELDS) {
      const value = bound.binding[field];
      if (value === undefined) node = node.any ??= {};
      else {
        const byValue: Map<string, Node> = (node.byValue ??= new Map());
        const next = byValue.get(value) ?? {};
        byValue.set(value, next);
        node = next;
      }
    }
    if (node.bound) return node.bound;
    node.bound = bound;
    return undefined;
  }

  /** Returns the most specific binding that matches. */
  find(message: BoundMessage): IndexedBinding | undefined {
    return this.search(message, (bound) => bound);
  }

  /** Returns all bindings that match, the most specific one first. */
  list(message: BoundMessage): readonly IndexedBinding[] {
    const found: IndexedBinding[] = [];
    this.search(message, (bound) => void found.push(bound));
    return found;
  }

  /** Calls `visit` for each binding that matches until it returns one. */
  private search(
    message: BoundMessage,
    visit: (bound: IndexedBinding) => IndexedBinding | void,
  ): IndexedBinding | undefined {
    const root = this.roots.get(message.tenant);
    if (!root) return undefined;
    const values = readValues(message);
    const descend = (node: Node, level: number): IndexedBinding | undefined => {
      if (node.bound) return visit(node.bound) ?? undefined;
      for (const value of values[level] ?? []) {
        const next = value === undefined ? undefined : node.byValue?.get(value);
        const found = next && descend(next, level + 1);
        if (found) return found;
      }
      return node.any && descend(node.any, level + 1);
    };
    return descend(root, 0);
  }
}

/** Returns the values that match each level, the most specific one first. */
function readValues(message: BoundMessage): readonly (readonly (string | undefined)[])[] {
  const { channel } = message;
  const dot = channel.indexOf('.');
  const values: Readonly<Record<BindingField, readonly (string | undefined)[]>> = {
    thread_id: [message.thread_id],
    group_id: [message.group_id],
    queue: [message.queue],
    sender: [message.sender],
    account: [dot === -1 ? DEFAULT_ACCOUNT : channel.slice(dot + 1)],
    principal: [message.principal],
    channel: dot === -1 ? [channel] : [channel, channel.slice(0, dot)],
    tenant: [message.tenant],
  };
  return BINDING_FIELDS.map((field) => values[field]);
}
