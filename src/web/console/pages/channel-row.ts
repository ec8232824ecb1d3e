/** A row of `GET /channels`: an account of a channel. Times are Unix milliseconds. */
export interface Channel {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
  readonly since: number;
  readonly last_in_at?: number;
  readonly last_out_at?: number;
  readonly dead_letters: number;
  readonly turned_away?: number;
  readonly lost_replies?: number;
  readonly lost_reason?: string;
}
