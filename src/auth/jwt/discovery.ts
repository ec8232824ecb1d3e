import type { Clock } from '../../core/time/clock.js';
import type { EgressFetch } from '../../http/egress-fetch.js';
import { requestDocument } from './request-json.js';

const WELL_KNOWN = '.well-known/openid-configuration';

/**
 * Requests what an issuer says about itself (OpenID Connect Discovery 1.0).
 * @throws Error, also if the document is of another issuer: the names are compared byte by byte
 */
export async function discover(
  fetch: EgressFetch,
  clock: Clock,
  issuer: string,
): Promise<Readonly<Record<string, unknown>>> {
  const document = await requestDocument(fetch, clock, `${issuer.replace(/\/$/, '')}/${WELL_KNOWN}`);
  if (document['issuer'] === issuer) return document;
  const theirs = JSON.stringify(document['issuer'] ?? null).slice(0, 256);
  throw new Error(`the setting has the issuer ${JSON.stringify(issuer)}, and its own document has ${theirs}`);
}

/** Returns a member of a document that is an address. @throws Error */
export function readAddress(document: Readonly<Record<string, unknown>>, name: string): string {
  const value = document[name];
  if (typeof value === 'string') return value;
  throw new Error(`the document of the issuer has no ${name}`);
}
