import { TOKENS } from './gateway-app.js';

/** The body of a response of the administration, as far as a test reads it. */
export type Body = Readonly<Record<string, unknown>> & {
  readonly items?: readonly Readonly<Record<string, unknown>>[];
  readonly next?: string;
};

/** Calls the administration API of a gateway in a test. */
export class AdminApi {
  constructor(
    private readonly gateway: { readonly url: string },
    private readonly token: string = TOKENS.operator,
  ) {}

  get(path: string) {
    return this.call('GET', path);
  }

  post(path: string, body?: object) {
    return this.call('POST', path, body);
  }

  patch(path: string, body: object) {
    return this.call('PATCH', path, body);
  }

  delete(path: string) {
    return this.call('DELETE', path);
  }

  async call(method: string, path: string, body?: object): Promise<{ status: number; body: Body; type: string }> {
    const response = await fetch(`${this.gateway.url}/admin/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    return { status: response.status, type, body: (/[/+]json(?!\w)/.test(type) ? JSON.parse(text) : { text }) as Body };
  }

  /** Reads a whole list, page by page. */
  async all(path: string): Promise<Readonly<Record<string, unknown>>[]> {
    const items: Readonly<Record<string, unknown>>[] = [];
    for (let cursor = ''; ;) {
      const { status, body } = await this.get(`${path}${cursor}`);
      if (status !== 200) throw new Error(`GET ${path} is HTTP ${status}`);
      items.push(...(body.items ?? []));
      if (body.next === undefined) return items;
      cursor = `${path.includes('?') ? '&' : '?'}cursor=${body.next}`;
    }
  }
}
