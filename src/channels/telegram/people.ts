import type { User } from '@grammyjs/types';

/** The bot that an account speaks as. */
export interface Bot {
  readonly id: number;
  /** Without `@`. */
  readonly username: string;
}

/** Returns the full name of a person. */
export function nameOf({ first_name: first, last_name: last }: User): string {
  return [first, last].filter(Boolean).join(' ');
}
