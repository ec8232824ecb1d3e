import type { ConnectionEvent } from '../core/connections/connection.js';
import { SocketConnection, type SocketLine } from '../sockets/socket-connection.js';
import { encodeEvent } from './event-frames.js';
import type { BoundHandler, DispatchedConnection, FrameDispatcher } from './frame-dispatcher.js';
import { fromNest } from './frame-exception.filter.js';

/** A connection of `openclaw.v1`, and what Nest calls the client. */
export class WebSocketConnection extends SocketConnection implements DispatchedConnection {
  bound: BoundHandler[] | undefined;
  private holds: Promise<void>[] | undefined;

  constructor(
    line: SocketLine,
    private readonly dispatcher: FrameDispatcher,
  ) {
    super(line);
  }

  /** Lets frames wait until `ready` has resolved. A rejection is answered with an `error` frame and a close. */
  hold(ready: Promise<void>): void {
    const held = ready.catch((error: unknown) => {
      this.refuse(fromNest(error));
      this.close('goingAway');
    });
    (this.holds ??= []).push(held);
  }

  /** Resolves when nothing holds the frames any more; undefined when nothing did. */
  get ready(): Promise<unknown> | undefined {
    return this.holds && Promise.all(this.holds);
  }

  protected override encode(event: ConnectionEvent): string | Buffer {
    return encodeEvent(event);
  }

  protected override receive(text: string): void | Promise<void> {
    return this.dispatcher.dispatch(this, text);
  }
}
