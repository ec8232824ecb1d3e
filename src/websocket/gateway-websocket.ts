import { WebSocket } from 'ws';
import { closeTable } from '../protocol/closes.js';

/** What ws calls "too many fragments" (1008) is a frame too big by other means. */
const WS_POLICY_VIOLATION = 1008;

/** The part of ws's parser that tells whether it stands inside a message; private there, so a test watches it. */
interface Parser {
  readonly _state: number;
  readonly _fragmented: number;
  readonly _bufferedBytes: number;
}

/** ws's WebSocket, with the reasons of our close table, and with a look into its parser. */
export class GatewayWebSocket extends WebSocket {
  /** Called before a close frame goes out, whoever decided on it: nothing may follow a close frame. */
  beforeClose: (() => void) | undefined;

  /** `reason` is missing when ws itself closes because of what the peer has sent. */
  override close(code?: number, reason?: string | Buffer): void {
    this.beforeClose?.();
    if (code === undefined || reason !== undefined) return super.close(code, reason);
    const ownCode = code === WS_POLICY_VIOLATION ? closeTable.tooBig.code : code;
    const row = Object.values(closeTable).find((candidate) => candidate.code === ownCode);
    super.close(ownCode, row?.reason);
  }

  /** Whether the peer has begun a message, or a frame of it, that is not complete. */
  get isMidMessage(): boolean {
    const { _receiver: parser } = this as unknown as { _receiver: Parser };
    return parser._state !== 0 || parser._fragmented !== 0 || parser._bufferedBytes > 0;
  }
}
