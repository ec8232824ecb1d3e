import type { ConnectionEvent } from '../core/connections/connection.js';
import { SocketConnection, type SocketLine } from '../sockets/socket-connection.js';
import type { EncodedFrames } from '../sockets/frame-bytes.js';
import { encodeEvent } from './event-frames.js';
import type { BoundHandler, DispatchedConnection, FrameDispatcher } from './frame-dispatcher.js';
import { fromNest } from './frame-exception.filter.js';

/** A connection of `openclaw.v1`. Nest's client object. */
export class WebSocketConnection extends SocketConnection implements DispatchedConnection {
  bound: readonly BoundHandler[] | undefined;
  private holds: Promise<void>[] | undefined;

  constructor(
    line: SocketLine,
    private readonly dispatcher: FrameDispatcher,
  ) {
    super(line);
  }

  /** Delays frames until `ready` resolves. A rejection sends an `error` frame and closes the connection. */
  hold(ready: Promise<void>): void {
    const held = ready.catch((error: unknown) => {
      this.refuse(fromNest(error));
      this.close('goingAway');
    });
    (this.holds ??= []).push(held);
  }

  /** Resolves when nothing delays frames any more; undefined when nothing does. */
  get ready(): Promise<unknown> | undefined {
    return this.holds && Promise.all(this.holds).then(() => (this.holds = undefined));
  }

  protected override encode(event: ConnectionEvent): EncodedFrames {
    return encodeEvent(event);
  }

  protected override receive(text: string): void | Promise<void> {
    return this.dispatcher.dispatch(this, text);
  }
}
