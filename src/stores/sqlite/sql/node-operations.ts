import type { DatabaseSync } from 'node:sqlite';
import { noteOfNode } from '../../../core/audit/audit-notes.js';
import { chooseNodeId } from '../../../core/nodes/node-id.js';
import {
  ALL_TENANTS,
  type Json,
  type NodeChange,
  type NodeCommandRecord,
  type NodePairing,
  type NodePairingOutcome,
  type NodeRecord,
  type NodeRegistration,
  type PairingDevice,
} from '../../../core/store/index.js';
import type { AuditTrail } from './audit-trail.js';
import { prepare, required } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

/** A row as the database returns it: what may be absent is null. */
type Nullable<T> = { readonly [K in keyof T]-?: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K] };
type NodeRow = Omit<Nullable<NodeRecord>, 'allow'> & { readonly allow: string | null };
type PairingRow = Omit<Nullable<NodePairing>, 'allow'> & { readonly allow: string | null };
type CommandRow = Omit<Nullable<NodeCommandRecord>, 'isOffered'> & { readonly isOffered: number };

const NODE = `node_id AS nodeId, tenant, name, public_key AS publicKey, allow, platform, version, created_at AS createdAt,
  seen_at AS seenAt, revoked_at AS revokedAt`;
const COMMAND = 'name, definition, pending, is_offered AS isOffered';

/** The operations of `NodeStore` on nodes, codes and commands. */
export class NodeOperations {
  private readonly statements;

  constructor(
    database: DatabaseSync,
    private readonly audit: AuditTrail,
  ) {
    this.statements = { ...prepareNodes(database), ...preparePairings(database), ...prepareCommands(database) };
  }

  readGatewayId(): string {
    return required(this.statements.gateway.get()).gatewayId;
  }

  addPairing(
    now: number,
    { codeHash, tenant, name, allow, replace, expiresAt }: NodePairing,
    maxOpen: number,
    actor: string,
  ): boolean {
    if (required(this.statements.countPairings.get(tenant, now)).count >= maxOpen) return false;
    this.statements.addPairing.run(codeHash, tenant, name ?? null, toJson(allow), replace ?? null, expiresAt);
    const after = { name, allow, replace };
    this.audit.add(now, noteOfNode({ tenant, actor, action: 'node.invite', nodeId: replace ?? '', after }));
    return true;
  }

  pair(now: number, { codeHash, name, platform, publicKey, random }: PairingDevice): NodePairingOutcome {
    const pairing = this.statements.findPairing.get(codeHash, now);
    if (!pairing) return { kind: 'refused' };
    const { tenant, replace } = pairing;
    const replaced = this.find(replace ?? '');
    const owner = this.statements.findByKey.get(publicKey)?.nodeId;
    if (owner !== undefined && owner !== replace) return { kind: 'keyTaken' };
    this.statements.usePairing.run(codeHash);
    const isTaken = (id: string) => this.statements.find.get(id) !== undefined;
    const shownName = pairing.name ?? name;
    const device = platform ?? null;
    const nodeId = replaced?.nodeId ?? chooseNodeId(shownName, random, isTaken);
    if (replaced) this.statements.replaceKey.run(publicKey, device, pairing.allow, nodeId);
    else this.statements.add.run(nodeId, tenant, shownName, publicKey, pairing.allow, device, now);
    this.audit.add(
      now,
      noteOfNode({ tenant, actor: `node:${nodeId}`, action: 'node.pair', nodeId, after: { platform } }),
    );
    return { kind: 'paired', node: required(this.find(nodeId)) };
  }

  find(nodeId: string): NodeRecord | undefined {
    const row = this.statements.find.get(nodeId);
    return row && toNode(row);
  }

  list(tenant: string): NodeRecord[] {
    return this.statements.list.all(tenant).map(toNode);
  }

  ensureTokenNode(now: number, tenant: string, nodeId: string, max: number): NodeRecord | 'taken' | 'full' {
    const known = this.find(nodeId);
    if (known) return known.tenant === tenant && known.publicKey === undefined ? known : 'taken';
    if (required(this.statements.countTokenNodes.get(tenant)).count >= max) return 'full';
    this.statements.add.run(nodeId, tenant, nodeId, null, null, null, now);
    return required(this.find(nodeId));
  }

  update(now: number, tenant: string, nodeId: string, change: NodeChange, actor: string): NodeRecord | undefined {
    const before = this.findOwn(tenant, nodeId);
    if (!before) return undefined;
    const allow = change.allow === undefined ? before.allow : (change.allow ?? undefined);
    this.statements.update.run(change.name ?? before.name, toJson(allow), nodeId);
    const after = required(this.find(nodeId));
    this.audit.add(
      now,
      noteOfNode({
        ...{ tenant, actor, action: 'node.update', nodeId },
        before: { name: before.name, allow: before.allow },
        after: { name: after.name, allow: after.allow },
      }),
    );
    return after;
  }

  revoke(now: number, tenant: string, nodeId: string, actor: string): boolean {
    if (!this.findOwn(tenant, nodeId)) return false;
    this.statements.revoke.run(now, nodeId);
    this.statements.deleteCommands.run(nodeId);
    this.audit.add(now, noteOfNode({ tenant, actor, action: 'node.revoke', nodeId }));
    return true;
  }

  useNonce(nodeId: string, nonce: string, expiresAt: number): boolean {
    return this.statements.useNonce.run(nodeId, nonce, expiresAt).changes > 0;
  }

  noteSeen(now: number, nodeIds: readonly string[]): void {
    for (const nodeId of nodeIds) this.statements.noteSeen.run(now, nodeId);
  }

  register(now: number, nodeId: string, registration: NodeRegistration): NodeCommandRecord[] {
    const { commands, platform, version, allowsChanges, maxKnown } = registration;
    const { retire, offer, offerChanged, setOffered, describe } = this.statements;
    const known = new Map(this.listCommands(nodeId).map((command) => [command.name, command]));
    retire.run(nodeId);
    for (const { name, definition } of commands) {
      const earlier = known.get(name);
      const isSame = earlier?.definition === definition;
      if (!earlier && known.size >= maxKnown) continue;
      if (!earlier || (allowsChanges && !isSame)) offer.run(nodeId, name, definition);
      else if (isSame) setOffered.run(nodeId, name);
      else offerChanged.run(definition, nodeId, name);
      if (!earlier) known.set(name, { name, definition, isOffered: true });
    }
    describe.run(platform ?? null, version ?? null, now, nodeId);
    return this.listCommands(nodeId);
  }

  listCommands(nodeId: string): NodeCommandRecord[] {
    return this.statements.listCommands.all(nodeId).map(toCommand);
  }

  allowCommand(
    now: number,
    tenant: string,
    nodeId: string,
    { name, pending }: { readonly name: string; readonly pending: Json },
    actor: string,
  ): NodeCommandRecord | undefined {
    const row = this.findOwn(tenant, nodeId) && this.statements.allowCommand.get(nodeId, name, pending);
    if (!row) return undefined;
    this.audit.add(now, noteOfNode({ tenant, actor, action: 'node.allow_command', nodeId, after: { name } }));
    return toCommand(row);
  }

  /** Deletes codes and nonces that have expired, within the budget. Returns true if there may be more. */
  sweep(now: number, budget: SweepBudget): boolean {
    this.statements.deletePairings.run(now);
    return !budget.repeat(() => Number(this.statements.deleteNonces.run(now, MAX_STEP_ROWS).changes));
  }

  private findOwn(tenant: string, nodeId: string): NodeRecord | undefined {
    const node = this.find(nodeId);
    return node?.tenant === tenant && node.revokedAt === undefined ? node : undefined;
  }
}

function toJson(value: readonly string[] | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function toNode({ allow, ...row }: NodeRow): NodeRecord {
  const present = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
  return { ...(present as unknown as NodeRecord), ...(allow !== null && { allow: JSON.parse(allow) as string[] }) };
}

function toCommand({ pending, isOffered, ...row }: CommandRow): NodeCommandRecord {
  return { ...(row as NodeCommandRecord), ...(pending !== null && { pending }), isOffered: isOffered === 1 };
}

function prepareNodes(database: DatabaseSync) {
  return {
    gateway: prepare<{ gatewayId: string }>(database, 'SELECT gateway_id AS gatewayId FROM node_gateway'),
    find: prepare<NodeRow>(database, `SELECT ${NODE} FROM nodes WHERE node_id = ?`),
    findByKey: prepare<{ nodeId: string }>(database, 'SELECT node_id AS nodeId FROM nodes WHERE public_key = ?'),
    list: prepare<NodeRow>(
      database,
      `SELECT ${NODE} FROM nodes WHERE revoked_at IS NULL AND (?1 = '${ALL_TENANTS}' OR tenant = ?1) ORDER BY node_id`,
    ),
    countTokenNodes: prepare<{ count: number }>(
      database,
      'SELECT count(*) AS count FROM nodes WHERE tenant = ? AND public_key IS NULL AND revoked_at IS NULL',
    ),
    add: prepare(
      database,
      `INSERT INTO nodes (node_id, tenant, name, public_key, allow, platform, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    replaceKey: prepare(
      database,
      `UPDATE nodes SET public_key = ?1, platform = coalesce(?2, platform), allow = coalesce(?3, allow), revoked_at = NULL
       WHERE node_id = ?4`,
    ),
    update: prepare(database, 'UPDATE nodes SET name = ?, allow = ? WHERE node_id = ?'),
    revoke: prepare(database, 'UPDATE nodes SET revoked_at = ? WHERE node_id = ?'),
    noteSeen: prepare(database, 'UPDATE nodes SET seen_at = ? WHERE node_id = ?'),
    describe: prepare(
      database,
      'UPDATE nodes SET platform = coalesce(?1, platform), version = coalesce(?2, version), seen_at = ?3 WHERE node_id = ?4',
    ),
    useNonce: prepare(
      database,
      'INSERT INTO node_nonces (node_id, nonce, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    deleteNonces: prepare(
      database,
      `DELETE FROM node_nonces WHERE (node_id, nonce) IN
         (SELECT node_id, nonce FROM node_nonces WHERE expires_at <= ? LIMIT ?)`,
    ),
  };
}

function preparePairings(database: DatabaseSync) {
  return {
    countPairings: prepare<{ count: number }>(
      database,
      'SELECT count(*) AS count FROM node_pairings WHERE tenant = ? AND expires_at > ?',
    ),
    addPairing: prepare(
      database,
      'INSERT INTO node_pairings (code_hash, tenant, name, allow, "replace", expires_at) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    findPairing: prepare<PairingRow>(
      database,
      `SELECT code_hash AS codeHash, tenant, name, allow, "replace", expires_at AS expiresAt FROM node_pairings
       WHERE code_hash = ? AND expires_at > ?`,
    ),
    usePairing: prepare(database, 'DELETE FROM node_pairings WHERE code_hash = ?'),
    deletePairings: prepare(database, 'DELETE FROM node_pairings WHERE expires_at <= ?'),
  };
}

function prepareCommands(database: DatabaseSync) {
  return {
    listCommands: prepare<CommandRow>(database, `SELECT ${COMMAND} FROM node_commands WHERE node_id = ? ORDER BY name`),
    retire: prepare(database, 'UPDATE node_commands SET is_offered = 0 WHERE node_id = ?'),
    offer: prepare(
      database,
      `INSERT INTO node_commands (node_id, name, definition, is_offered) VALUES (?1, ?2, ?3, 1)
       ON CONFLICT DO UPDATE SET definition = ?3, pending = NULL, is_offered = 1`,
    ),
    setOffered: prepare(
      database,
      'UPDATE node_commands SET is_offered = 1, pending = NULL WHERE node_id = ? AND name = ?',
    ),
    offerChanged: prepare(
      database,
      'UPDATE node_commands SET is_offered = 1, pending = ? WHERE node_id = ? AND name = ?',
    ),
    allowCommand: prepare<CommandRow>(
      database,
      `UPDATE node_commands SET definition = pending, pending = NULL WHERE node_id = ? AND name = ? AND pending = ?
       RETURNING ${COMMAND}`,
    ),
    deleteCommands: prepare(database, 'DELETE FROM node_commands WHERE node_id = ?'),
  };
}
