/** A conversation. */
export interface SessionRow {
  readonly id: string;
  readonly tenant: string;
  readonly mode: string;
  readonly channel: string;
  readonly agent: string;
  /** Sender, group and thread, or queue. */
  readonly key: readonly string[];
  /** Unix milliseconds. */
  readonly created_at: number;
  readonly last_active: number;
  readonly tool_permissions: readonly string[];
  readonly explicit_activation: boolean;
  readonly model?: string;
}

/** A conversation, as `GET /sessions` lists it. */
export interface ListedSessionRow extends SessionRow {
  /** Number of messages that wait. */
  readonly waiting: number;
  readonly running_ref?: string;
}

/** The name of a conversation for people: the person or group, with the thread. */
export function nameSession({ key, id }: Pick<SessionRow, 'key' | 'id'>): string {
  const name = key.filter((part) => part !== '').join(' / ');
  return name === '' ? id : name;
}
