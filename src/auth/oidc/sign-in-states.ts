import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../core/time/clock.js';

/** Time for a person to sign in at the identity provider, in milliseconds. */
export const STATE_LIFETIME_MS = 600_000;
/** Sign-ins that one browser can have begun. Of more, the oldest is forgotten. */
const MAX_STATES = 5;

const STATE = /^(([A-Za-z0-9_-]{22})\.([0-9a-z]{1,10})\.([01])\.([A-Za-z0-9_-]*))\.([A-Za-z0-9_-]{43})$/;
/** Pages that a sign-in may lead to. */
const RETURN_TO = /^\/(chat|console)(\/[A-Za-z0-9_~-]{1,128}){0,8}$/;
const DEFAULT_RETURN_TO = '/chat';

/** A sign-in that has begun. */
export interface SignInAttempt {
  /** Names it in the cookie of its browser. */
  readonly id: string;
  readonly returnTo: string;
  /** True if it is the second try, after the first one was lost. */
  readonly isSecond: boolean;
}

/** The parameters that a sign-in sends to the identity provider. */
export interface SignInSecrets {
  readonly nonce: string;
  readonly verifier: string;
  /** SHA-256 of the verifier (RFC 7636). */
  readonly challenge: string;
}

/**
 * The states of sign-ins (RFC 6749 section 10.12). The gateway keeps none: a state is signed, its secrets are derived from
 * it, and the browser that has begun it has its ID in a cookie. So beginning many costs no memory.
 */
export class SignInStates {
  /** @param key secret, the same on each replica */
  constructor(
    private readonly key: Buffer,
    private readonly clock: Clock,
  ) {}

  /** Begins a sign-in. @param returnTo from the request; a path that is not a page of the gateway leads to the chat */
  begin(returnTo: string | undefined, isSecond: boolean): { readonly state: string; readonly id: string } {
    const id = randomBytes(16).toString('base64url');
    const path = Buffer.from(toReturnPath(returnTo)).toString('base64url');
    const signed = `${id}.${this.clock.now().toString(36)}.${isSecond ? 1 : 0}.${path}`;
    return { id, state: `${signed}.${this.derive('state', signed)}` };
  }

  /** Returns the sign-in of a state; undefined if it is not one, or too old. */
  read(state: string): SignInAttempt | undefined {
    const [, signed = '', id = '', madeAt = '', second, path = '', mac = ''] = STATE.exec(state) ?? [];
    if (id === '' || !timingSafeEqual(Buffer.from(mac), Buffer.from(this.derive('state', signed)))) return undefined;
    const age = this.clock.now() - Number.parseInt(madeAt, 36);
    if (age > STATE_LIFETIME_MS) return undefined;
    return { id, returnTo: Buffer.from(path, 'base64url').toString(), isSecond: second === '1' };
  }

  secretsOf(id: string): SignInSecrets {
    const verifier = this.derive('verifier', id);
    return {
      nonce: this.derive('nonce', id),
      verifier,
      challenge: createHash('sha256').update(verifier).digest('base64url'),
    };
  }

  private derive(purpose: string, text: string): string {
    return createHmac('sha256', this.key).update(`${purpose}:${text}`).digest('base64url');
  }
}

/** Returns the page of the gateway that a sign-in leads to: `path` if it is one, else the chat. */
export function toReturnPath(path: string | undefined): string {
  return path !== undefined && RETURN_TO.test(path) ? path : DEFAULT_RETURN_TO;
}

/** Returns the cookie of a browser with one sign-in more. */
export function addState(cookie: string | undefined, id: string): string {
  return [...listStates(cookie), id].slice(-MAX_STATES).join('.');
}

/** Returns the cookie without a sign-in; undefined if it is not in it. */
export function takeState(cookie: string | undefined, id: string): string | undefined {
  const states = listStates(cookie);
  return states.includes(id) ? states.filter((other) => other !== id).join('.') : undefined;
}

function listStates(cookie = ''): string[] {
  return cookie.split('.').filter((id) => /^[A-Za-z0-9_-]{22}$/.test(id));
}
