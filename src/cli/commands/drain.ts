import { AdminSession } from '../admin-session.js';
import type { Command } from '../command.js';
import { GATEWAY_OPTIONS, readOptions, readTarget } from '../options.js';

/** `openclaw drain`: the orderly stop of a gateway. */
export const drain: Command = {
  name: 'drain',
  summary: 'stop a running gateway in order',
  usage: `Usage: openclaw drain [--url URL] [--json]

Stops a running gateway as SIGTERM does: it accepts nothing new, running turns finish or go back to the queue, and the process
ends. Returns at once; what starts the gateway again, such as Kubernetes, goes on doing so.

  --url URL  where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the response as JSON

It needs a credential with the scope admin:write, of an operator of all tenants.

Examples:
  openclaw drain
  openclaw drain --url https://gateway.example
`,
  async run(args, terminal) {
    const { values } = readOptions('drain', args, GATEWAY_OPTIONS);
    const session = new AdminSession(terminal, readTarget('drain', values.url, terminal), values.json);
    const state = await session.ask<{ replica: string; phase: string }>('drain', { method: 'POST' });
    return session.print(state, [[state.replica, state.phase]]);
  },
};
