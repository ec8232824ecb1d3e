import type { NodeStorage } from './storage.js';

const ALGORITHM = 'Ed25519';
const NONCE_BYTES = 16;
const KEY = 'identity';

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
type Jwk = Awaited<ReturnType<typeof crypto.subtle.exportKey>>;

/** The identity of a node, as it is stored. */
interface StoredIdentity {
  readonly nodeId: string;
  readonly gatewayId: string;
  /** A key that cannot be exported, or a JSON Web Key. */
  readonly key: Key | Jwk;
}

/** The parameters of {@link pairNode}. */
export interface PairingRequest {
  /** `http://` or `https://`, host and port of the gateway. */
  readonly url: string;
  /** From `openclaw nodes pair`. */
  readonly code: string;
  /** The name that the device gives itself; the operator's name takes precedence. */
  readonly name: string;
  /** For people, such as `linux x64`. */
  readonly platform?: string;
  readonly storage: NodeStorage;
  /** The platform's own by default. */
  readonly fetch?: typeof fetch;
}

/** The gateway does not let the device in. `status` is that of HTTP. */
export class PairingRefusedError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'PairingRefusedError';
  }
}

/**
 * Makes a key, shows the code and stores the identity that the gateway gives. Resolves with the ID.
 * @throws PairingRefusedError; TypeError when the gateway cannot be reached; Error when another program has the storage
 */
export async function pairNode(request: PairingRequest): Promise<string> {
  const unlock = await request.storage.lock?.();
  try {
    return await pair(request);
  } finally {
    unlock?.();
  }
}

async function pair(request: PairingRequest): Promise<string> {
  const { url, code, name, platform, storage } = request;
  const keys = await crypto.subtle.generateKey(ALGORITHM, !storage.keepsKeys, ['sign', 'verify']);
  const { publicKey, privateKey } = keys as { readonly publicKey: Key; readonly privateKey: Key };
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
  const body = { code, name, ...(platform !== undefined && { platform }), public_key: toBase64Url(raw) };
  const ask = request.fetch ?? fetch;
  const response = await ask(addressOf(url, 'nodes/pair'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json().catch(() => ({}))) as { detail?: string; node_id: string; gateway_id: string };
  if (!response.ok)
    throw new PairingRefusedError(
      response.status,
      answer.detail ?? `the gateway responds with HTTP ${response.status}`,
    );
  const key = storage.keepsKeys ? privateKey : await crypto.subtle.exportKey('jwk', privateKey);
  const identity: StoredIdentity = { nodeId: answer.node_id, gatewayId: answer.gateway_id, key };
  await storage.write(KEY, identity);
  return identity.nodeId;
}

/** The identity of a paired node. */
export class NodeIdentity {
  private constructor(
    readonly nodeId: string,
    private readonly gatewayId: string,
    private readonly key: Key,
  ) {}

  /** Resolves with undefined if the storage has none. */
  static async load(storage: NodeStorage): Promise<NodeIdentity | undefined> {
    const stored = (await storage.read(KEY)) as StoredIdentity | undefined;
    if (!stored) return undefined;
    const { nodeId, gatewayId, key } = stored;
    const isKey = typeof key === 'object' && 'algorithm' in key && 'usages' in key;
    const own = isKey ? key : await crypto.subtle.importKey('jwk', key as never, ALGORITHM, false, ['sign']);
    return new NodeIdentity(nodeId, gatewayId, own);
  }

  /** Forgets it, when an operator has revoked it. */
  static forget(storage: NodeStorage): Promise<void> {
    return storage.remove(KEY);
  }

  /** Returns a credential for one connection or request. @param now the gateway's time, in Unix milliseconds */
  async makeCredential(now: number): Promise<string> {
    const nonce = toBase64Url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
    const text = `openclaw-node-1\n${this.gatewayId}\n${this.nodeId}\n${now}\n${nonce}`;
    const signature = await crypto.subtle.sign(ALGORITHM, this.key, new TextEncoder().encode(text));
    return `node1.${this.nodeId}.${now}.${nonce}.${toBase64Url(new Uint8Array(signature))}`;
  }
}

/** Returns an address of the gateway, which a proxy may serve below a path. */
export function addressOf(url: string, path: string): string {
  const base = new URL(url);
  base.protocol = base.protocol.replace('ws', 'http');
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return new URL(path, base).href;
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
