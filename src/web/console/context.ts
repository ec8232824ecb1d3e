import type { Actions } from './act.js';
import type { Api } from './api.js';
import type { Live } from './live.js';
import type { Me } from './me.js';
import type { Router } from './router.js';
import type { GatewayStatus } from './status.js';

/** The services of a page of the console. */
export interface ConsoleContext {
  readonly api: Api;
  /** Who is signed in, and what they may. */
  readonly me: Me;
  readonly live: Live;
  readonly router: Router;
  /** The state of the gateway, with the warnings. */
  readonly status: GatewayStatus;
  /** Toasts, dialogs and the outcome of actions. */
  readonly act: Actions;
}
