import { Matches } from 'class-validator';

/** A browser that shows the code of its link. */
export class SignInRequest {
  /**
   * From the link that `openclaw start` prints: valid once, for one minute.
   * @example "x4Jt0uQb3sYk8v1nR2wLZg"
   */
  @Matches(/^[A-Za-z0-9_-]{1,128}$/)
  readonly code!: string;
}

/** The kind of credential. */
export class SignInResult {
  /**
   * For `openclaw.bearer.TOKEN`: role user, channel and sender `webchat`; in open mode the local token, role operator.
   * @example "p1.eyJzIjoid2ViY2hhdCJ9.mJ3x"
   */
  readonly token!: string;
  /**
   * When the token expires, in Unix milliseconds. The local token has none: it ends with the gateway's process.
   * @example 1795766400000
   */
  readonly expires_at?: number;
}
