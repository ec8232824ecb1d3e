/** A response, and where it is from. */
export interface Visit {
  readonly url: string;
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** A browser without a screen: it keeps cookies by origin, follows redirects and sends forms. */
export class TestBrowser {
  private readonly jar = new Map<string, Map<string, string>>();
  /** The `Set-Cookie` headers that it got. */
  readonly received: string[] = [];

  /** Visits an address and follows redirects. @param stopAt an address before which it stops */
  async visit(address: string, init: RequestInit = {}, stopAt?: RegExp): Promise<Visit> {
    let url = address;
    let request = init;
    for (let step = 0; step < 20; step++) {
      const { origin } = new URL(url);
      const response = await fetch(url, {
        ...request,
        redirect: 'manual',
        headers: { ...Object.fromEntries(new Headers(request.headers)), cookie: this.cookiesFor(origin) },
      });
      this.keep(origin, response.headers.getSetCookie());
      const location = response.headers.get('location');
      const next = location === null ? undefined : new URL(location, url).href;
      if (next === undefined || stopAt?.test(next))
        return { url: next ?? url, status: response.status, text: await response.text(), headers: response.headers };
      await response.body?.cancel();
      url = next;
      request = {};
    }
    throw new Error(`too many redirects from ${address}`);
  }

  /** Sends the first form of a page. */
  submit({ url, text }: Visit, fields: Readonly<Record<string, string>> = {}, stopAt?: RegExp): Promise<Visit> {
    const form = /<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(text);
    if (!form) throw new Error(`${url} has no form: ${text.slice(0, 500)}`);
    const hidden = [...form[2]!.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
      /name="([^"]*)"/.exec(input)?.[1] ?? '',
      /value="([^"]*)"/.exec(input)?.[1] ?? '',
    ]);
    const body = new URLSearchParams([...hidden, ...Object.entries(fields)] as [string, string][]);
    return this.visit(new URL(form[1]!, url).href, { method: 'POST', body }, stopAt);
  }

  /** The `Cookie` header for an origin. */
  cookiesFor(origin: string): string {
    return [...(this.jar.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  forget(origin: string, name: string): void {
    this.jar.get(origin)?.delete(name);
  }

  private keep(origin: string, cookies: readonly string[]): void {
    const own = this.jar.get(origin) ?? new Map<string, string>();
    this.jar.set(origin, own);
    for (const cookie of cookies) {
      this.received.push(cookie);
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(cookie)) own.delete(name);
      else own.set(name, value);
    }
  }
}
