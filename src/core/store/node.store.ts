import type { Json } from './records.js';

/** A device that offers commands. It has a key if it was paired, and none if it connects with a token of role `node`. */
export interface NodeRecord {
  /** 1 to 64 of `a-z0-9-`; unique over all tenants. */
  readonly nodeId: string;
  readonly tenant: string;
  /** For people. */
  readonly name: string;
  /** Ed25519, 32 bytes in base64url. */
  readonly publicKey?: string | undefined;
  /** Patterns of the commands that it may offer; absent: all that are not dangerous. */
  readonly allow?: readonly string[] | undefined;
  /** The node's own description of itself. */
  readonly platform?: string | undefined;
  readonly version?: string | undefined;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly seenAt?: number | undefined;
  /** When an operator has revoked it. Its ID is not given again but to a pairing that replaces it. */
  readonly revokedAt?: number | undefined;
}

/** A code that lets one device in. The code itself is not stored. */
export interface NodePairing {
  /** SHA-256, in hexadecimal. */
  readonly codeHash: string;
  readonly tenant: string;
  readonly name?: string | undefined;
  readonly allow?: readonly string[] | undefined;
  /** The node that gets the key of the device. */
  readonly replace?: string | undefined;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** A device that shows a code. */
export interface PairingDevice {
  readonly codeHash: string;
  /** The name where the pairing has none. */
  readonly name: string;
  readonly platform?: string | undefined;
  readonly publicKey: string;
  /** Lower-case letters and digits, for an ID where nothing of the name can be used. */
  readonly random: string;
}

/** `refused`: the code is wrong, used or expired. `keyTaken`: another node has the key, and the code stays valid. */
export type NodePairingOutcome =
  | { readonly kind: 'paired'; readonly node: NodeRecord }
  | { readonly kind: 'refused' }
  | { readonly kind: 'keyTaken' };

/** A change by an operator; absent fields stay, and `allow: null` is that of a pairing without a list. */
export interface NodeChange {
  readonly name?: string | undefined;
  readonly allow?: readonly string[] | null | undefined;
}

/** A command of a node. */
export interface NodeCommandRecord {
  readonly name: string;
  /** The commands in force, as canonical JSON. */
  readonly definition: Json;
  /** The commands that the node offers instead, until an operator allows them. */
  readonly pending?: Json | undefined;
  /** False if the node does not offer it any more. It stays known, so that it cannot come back changed. */
  readonly isOffered: boolean;
}

/** The commands that a node offers, and what it says of itself. */
export interface NodeRegistration {
  readonly commands: readonly { readonly name: string; readonly definition: Json }[];
  readonly platform?: string | undefined;
  readonly version?: string | undefined;
  /** True if changed commands need no operator. */
  readonly allowsChanges: boolean;
  /** Maximum number of commands that are known of a node. */
  readonly maxKnown: number;
}

/**
 * A call of a command. `wanted`: the intent; nothing was sent. `sent`: the node may have run it. `ended`: the result is
 * known, or no caller waits for it.
 */
export interface NodeCall {
  readonly callId: string;
  readonly nodeId: string;
  readonly sessionId: string;
  /** When the gateway gives it up, in Unix milliseconds. */
  readonly deadline: number;
  readonly state: 'wanted' | 'sent' | 'ended';
  /** The result as the node sent it; absent for a call that was given up. */
  readonly result?: Json | undefined;
}

/** Something that happened at a node. */
export interface NodeEventRecord {
  readonly nodeId: string;
  readonly tenant: string;
  readonly eventId: string;
  /** Its name. */
  readonly event: string;
  /** Absent in an old event of a node with many. */
  readonly data?: Json | undefined;
  /** When the gateway got it, in Unix milliseconds. */
  readonly at: number;
}

export interface NodeEventQuery {
  readonly tenant: string;
  readonly nodeId?: string | undefined;
  readonly event?: string | undefined;
  /** Unix milliseconds. */
  readonly since: number;
  readonly limit: number;
}

/**
 * Stores device nodes, their commands, calls and events. Each change by an operator and its row in the audit trail are one
 * commit. Calls reject with GatewayError STORE_UNAVAILABLE when the store cannot answer.
 */
export abstract class NodeStore {
  /** Returns the name that this gateway has for nodes; that of all replicas. */
  abstract readGatewayId(): Promise<string>;

  /** Adds a code. Resolves with false if `maxOpen` codes of the tenant wait. */
  abstract addNodePairing(pairing: NodePairing, maxOpen: number, actor: string): Promise<boolean>;

  /** Uses a code up, and adds its node, or gives the node that it replaces the key of the device. */
  abstract pairNode(device: PairingDevice): Promise<NodePairingOutcome>;

  /** Finds a node, also one that was revoked. */
  abstract findNode(nodeId: string): Promise<NodeRecord | undefined>;

  /** Lists the nodes of a tenant, or of `ALL_TENANTS`, that are not revoked, by their IDs. */
  abstract listNodes(tenant: string): Promise<readonly NodeRecord[]>;

  /**
   * Returns the node of a token, and adds it if it is new. Resolves with `taken` if another node has the ID, and with `full` if
   * the tenant has `max` nodes of tokens already.
   */
  abstract ensureTokenNode(tenant: string, nodeId: string, max: number): Promise<NodeRecord | 'taken' | 'full'>;

  abstract updateNode(
    tenant: string,
    nodeId: string,
    change: NodeChange,
    actor: string,
  ): Promise<NodeRecord | undefined>;

  /** Revokes a node. Resolves with false if there is none. */
  abstract revokeNode(tenant: string, nodeId: string, actor: string): Promise<boolean>;

  /** Notes the nonce of a credential until `expiresAt`. Resolves with false if it was used before. */
  abstract useNodeNonce(nodeId: string, nonce: string, expiresAt: number): Promise<boolean>;

  /** Notes when nodes were last connected. */
  abstract noteNodesSeen(nodeIds: readonly string[]): Promise<void>;

  /** Replaces what a node offers. Resolves with all commands that are known of it. */
  abstract registerNode(nodeId: string, registration: NodeRegistration): Promise<readonly NodeCommandRecord[]>;

  abstract listNodeCommands(nodeId: string): Promise<readonly NodeCommandRecord[]>;

  /** Puts the pending form of a command in force. Resolves with undefined if this one does not wait under this name. */
  abstract allowNodeCommand(
    tenant: string,
    nodeId: string,
    command: { readonly name: string; readonly pending: Json },
    actor: string,
  ): Promise<NodeCommandRecord | undefined>;

  /** Adds a call as `wanted`, or resolves with the call that has this ID. */
  abstract openNodeCall(call: Omit<NodeCall, 'state' | 'result'>): Promise<NodeCall>;

  abstract findNodeCall(callId: string): Promise<NodeCall | undefined>;

  /** Marks a call that has not ended as `sent`. Resolves with its state then. */
  abstract markNodeCallSent(callId: string): Promise<NodeCall['state']>;

  /**
   * Ends a call of a node, with its result or without. Resolves with false, and changes nothing, if it has ended, or there is
   * no such call of this node.
   */
  abstract endNodeCall(nodeId: string, callId: string, result?: Json): Promise<boolean>;

  /** Adds an event as not handled. Resolves with false if the node has sent it before. */
  abstract addNodeEvent(event: NodeEventRecord): Promise<boolean>;

  /** Notes that an event was handled. */
  abstract settleNodeEvent(nodeId: string, eventId: string): Promise<void>;

  /** Lists events that were not handled, oldest first. */
  abstract listUnsettledNodeEvents(limit: number): Promise<readonly NodeEventRecord[]>;

  /** Lists events, newest first. */
  abstract listNodeEvents(query: NodeEventQuery): Promise<readonly NodeEventRecord[]>;
}
