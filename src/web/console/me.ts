/** The person who is signed in, as `GET /me` describes them. */
export interface MeAnswer {
  readonly principal: string;
  readonly tenant: string;
  readonly role: string;
  /** True if the settings and the logs, which belong to the whole gateway, are shown to them. */
  readonly all_tenants: boolean;
  readonly scopes: readonly string[];
  readonly channels?: readonly string[];
  /** Unix milliseconds. */
  readonly expires_at?: number;
}

/** Who is signed in, and what they may. */
export class Me {
  constructor(private readonly answer: MeAnswer) {}

  get principal(): string {
    return this.answer.principal;
  }

  get tenant(): string {
    return this.answer.tenant;
  }

  /** True for an operator of all tenants. */
  get isOfAllTenants(): boolean {
    return this.answer.tenant === '*';
  }

  /** True if the person may see what belongs to the whole gateway, also where the settings name no tenant at all. */
  get maySeeWhole(): boolean {
    return this.answer.all_tenants;
  }

  may(scope: string): boolean {
    return this.answer.scopes.includes(scope);
  }

  /** The key of the live events that the person gets: pages with the same key can share a stream. */
  get reach(): string {
    const { principal, tenant, scopes, channels } = this.answer;
    return JSON.stringify([tenant, principal, scopes, channels]);
  }
}
