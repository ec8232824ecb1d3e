import { TENANT_NAME } from '../core/identity/tenant-name.js';
import { pathOf, type ConnectParameters, type UpgradeRefusal } from '../sockets/upgrade-request.js';

const CLIENT_ID = /^[A-Za-z0-9._-]{1,64}$/;
const KNOWN_PARAMETERS = 'client_id, tenant, stream=delta, subscribe=presence';

/** Reads the query (protocol.md sections 1 and 4). Unknown parameters are refused, so that a typing error is noticed. */
export function readConnectParameters(url: string): ConnectParameters | UpgradeRefusal {
  const query = new URLSearchParams(url.slice(pathOf(url).length));
  for (const name of new Set(query.keys())) {
    const [value = '', ...others] = query.getAll(name);
    if (others.length > 0) return { status: 400, reason: 'A query parameter may be given once' };
    if (name === 'client_id' && CLIENT_ID.test(value)) continue;
    if (name === 'client_id') return { status: 400, reason: 'client_id must be 1 to 64 of A-Z a-z 0-9 . _ -' };
    if (name === 'tenant' && TENANT_NAME.test(value)) continue;
    if ((name === 'stream' && value === 'delta') || (name === 'subscribe' && value === 'presence')) continue;
    return { status: 400, reason: `Unknown query parameter or value; known are ${KNOWN_PARAMETERS}` };
  }
  return {
    clientId: query.get('client_id') ?? undefined,
    tenant: query.get('tenant') ?? undefined,
    wantsDeltas: query.has('stream'),
    wantsPresence: query.has('subscribe'),
  };
}
