import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { AuthService } from './auth.service.js';
import { LocalToken } from './local-token.js';

/** Keeps the file of the local token true: it is there while a gateway in open mode runs. */
@Injectable()
export class LocalTokenFile {
  private readonly log: Log;

  constructor(
    private readonly auth: AuthService,
    private readonly token: LocalToken,
    logs: Logs,
  ) {
    this.log = logs.for('auth');
  }

  /** Runs when the port is open: a start that fails before must not touch the file of a gateway that runs. */
  @StartStep({ name: 'write the local token', phase: 'run' })
  async write(): Promise<Undo | undefined> {
    const { path } = this.token;
    try {
      await (this.auth.isOpen ? this.token.write() : this.token.removeOlder());
    } catch (error) {
      const reason = (error as Error).message;
      this.log.warn(
        { path, reason },
        'the file of the local token was not changed; an older one may be removed by hand',
      );
      return undefined;
    }
    if (!this.auth.isOpen) return undefined;
    this.log.info(
      { path },
      'open mode: only this machine is served, and administration needs the token in this file; ' +
        'to serve others, set auth.token (OPENCLAW_AUTH_TOKEN)',
    );
    return () => this.token.remove();
  }
}
