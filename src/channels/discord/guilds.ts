/** The permissions Administrator and Manage Server. */
export const MANAGES = (1n << 3n) | (1n << 5n);

/** A role as an event has it. */
interface RawRole {
  readonly id: string;
  readonly permissions: string;
  readonly tags?: { readonly bot_id?: string };
}

/** The events by which servers are known, with the fields that are used. */
interface GuildEvent {
  readonly id: string;
  readonly owner_id?: string;
  readonly roles?: readonly RawRole[];
  readonly guild_id: string;
  readonly role?: RawRole;
  readonly role_id?: string;
}

/** A server, as far as messages need it. */
export interface Guild {
  readonly ownerId: string | undefined;
  /** The role that Discord has made for the bot. */
  readonly botRole: string | undefined;
  /** The roles that may manage the server. */
  readonly adminRoles: ReadonlySet<string>;
}

/** The servers of a bot. */
export class Guilds {
  private readonly known = new Map<string, Guild>();

  find(id: string | undefined): Guild | undefined {
    return id === undefined ? undefined : this.known.get(id);
  }

  /** Notes what an event says; others are ignored. @param name as in the dispatch */
  note(name: string, data: unknown, botId: string): void {
    const event = data as GuildEvent;
    if (name === 'GUILD_CREATE' || name === 'GUILD_UPDATE') {
      const guild = { ownerId: event.owner_id, botRole: undefined, adminRoles: new Set<string>() };
      const roles = event.roles ?? [];
      this.known.set(
        event.id,
        roles.reduce<Guild>((all, role) => withRole(all, role, botId), guild),
      );
    }
    if (name === 'GUILD_DELETE') this.known.delete(event.id);
    const guild = this.known.get(event.guild_id);
    if (!guild) return;
    const { role, role_id: deleted } = event;
    if (name === 'GUILD_ROLE_CREATE' || name === 'GUILD_ROLE_UPDATE')
      if (role) this.known.set(event.guild_id, withRole(guild, role, botId));
    if (name === 'GUILD_ROLE_DELETE' && deleted !== undefined)
      this.known.set(event.guild_id, { ...guild, adminRoles: without(guild.adminRoles, deleted) });
  }
}

function withRole(guild: Guild, { id, permissions, tags }: RawRole, botId: string): Guild {
  const isAdmin = (BigInt(permissions) & MANAGES) !== 0n;
  const adminRoles = without(guild.adminRoles, id);
  if (isAdmin) adminRoles.add(id);
  return { ...guild, adminRoles, botRole: tags?.bot_id === botId ? id : guild.botRole };
}

function without(roles: ReadonlySet<string>, id: string): Set<string> {
  return new Set([...roles].filter((role) => role !== id));
}
