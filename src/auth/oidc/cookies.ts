import type { IncomingMessage } from 'node:http';

/** Returns the value of a cookie; undefined if there is none, or more than one: another site may have set one of them. */
function readCookie({ headers }: Pick<IncomingMessage, 'headers'>, name: string): string | undefined {
  const values = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

/** The cookies of a gateway at one public address. */
export class Cookies {
  private readonly isSecure: boolean;

  /** @param publicUrl where people reach the gateway; no header of a request decides on cookies */
  constructor(publicUrl: string) {
    this.isSecure = publicUrl.startsWith('https:');
  }

  /** Returns the name under which a browser keeps a cookie: with https one that no other host can set. */
  nameOf(name: string): string {
    return this.isSecure ? `__Host-${name}` : name;
  }

  read(request: Pick<IncomingMessage, 'headers'>, name: string): string | undefined {
    return readCookie(request, this.nameOf(name));
  }

  /**
   * Returns a `Set-Cookie`. `Lax`: the way back from an identity provider is a navigation from another site.
   * @param maxAgeS 0 removes the cookie
   */
  write(name: string, value: string, maxAgeS: number): string {
    const secure = this.isSecure ? '; Secure' : '';
    return `${this.nameOf(name)}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${secure}`;
  }
}
