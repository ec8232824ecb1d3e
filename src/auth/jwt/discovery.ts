import type { Clock } from '../../core/time/clock.js';
import type { EgressFetch } from '../../http/egress/egress-fetch.js';
import { isSafeAddress, IssuerFault, requestDocument } from './request-json.js';

const WELL_KNOWN = '.well-known/openid-configuration';

/** The metadata of an issuer (OpenID Connect Discovery 1.0). */
export type IssuerDocument = Readonly<Record<string, unknown>>;

/**
 * Requests the document of an issuer.
 * @throws Error; IssuerFault also if the document is of another issuer: the names are compared byte by byte
 */
export async function discover(fetch: EgressFetch, clock: Clock, issuer: string): Promise<IssuerDocument> {
  const document = await requestDocument(fetch, clock, `${issuer.replace(/\/$/, '')}/${WELL_KNOWN}`);
  if (document['issuer'] === issuer) return document;
  throw new IssuerFault(
    `the setting has the issuer ${JSON.stringify(issuer)}, and its own document has ${show(document['issuer'])}`,
  );
}

/** Returns a member of a document that is an address. @throws IssuerFault if it is missing or not safe */
export function readAddress(document: IssuerDocument, name: string): string {
  const address = findAddress(document, name);
  if (address !== undefined) return address;
  throw new IssuerFault(`the document of the issuer has no ${name}`);
}

/**
 * Returns a member of a document that is an address, to which a browser or the gateway may go; undefined if there is none.
 * @throws IssuerFault if it is not safe
 */
export function findAddress(document: IssuerDocument, name: string): string | undefined {
  const value = document[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && isSafeAddress(value)) return value;
  throw new IssuerFault(
    `the document of the issuer has the ${name} ${show(value)}, which is neither https nor http on loopback`,
  );
}

function show(value: unknown): string {
  return JSON.stringify(value ?? null).slice(0, 256);
}
