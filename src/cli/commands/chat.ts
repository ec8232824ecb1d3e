import { createHash } from 'node:crypto';
import type { GatewayClient, MessageInPayload } from '../../client/index.js';
import type { ConnectedPayload } from '../../protocol/index.js';
import type { WebchatIdentity } from '../../protocol/webchat.js';
import { AnswerPrinter } from '../chat/answer-printer.js';
import { openClient, watchConnection } from '../chat/chat-client.js';
import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { GATEWAY_OPTIONS, readOptions, readTarget } from '../options.js';
import { Repl } from '../chat/repl.js';
import { printJson, type Terminal } from '../terminal.js';

/** `openclaw chat`: a conversation with the agent. */
export const chat: Command = {
  name: 'chat',
  summary: 'talk to the agent: one message, or a conversation',
  usage: `Usage: openclaw chat [TEXT] [--channel NAME] [--sender NAME] [--client-id NAME] [--url URL] [--json]

With TEXT: sends it, prints the answer while it comes, and exits (1 when it ended with an error). Without: a conversation;
Ctrl-C stops an answer, Ctrl-C again or Ctrl-D leaves. The conversation of one sender goes on from one run to the next.

  --channel NAME    the channel to speak on (default cli; webchat with a user's credential)
  --sender NAME     who speaks (default: the sender of a user's credential, else your user name)
  --client-id NAME  the name of this client; two conversations at the same time need two names
  --url URL         where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json            with TEXT: print the whole answer as JSON when it is there

OPENCLAW_TOKEN holds the credential; the answer goes to standard output, everything else to standard error.

Examples:
  openclaw chat 'What is new?'
  openclaw chat --sender ann --json 'What is new?'
`,
  async run(args, terminal) {
    const names = { channel: { type: 'string' }, sender: { type: 'string' }, 'client-id': { type: 'string' } } as const;
    const { values, positionals } = readOptions('chat', args, { ...GATEWAY_OPTIONS, ...names }, true);
    const target = readTarget('chat', values.url, terminal);
    const text = positionals.join(' ');
    if (text === '' && values.json) throw new UsageError('--json needs TEXT', 'chat');
    const clientId = values['client-id'] ?? (text === '' ? stableClientId(terminal, values) : undefined);
    const { client, connected } = await openClient(terminal, target, clientId);
    try {
      const sender = values.sender ?? (await readSender(client, connected)) ?? terminal.user;
      const speaker = { channel: values.channel ?? defaultChannel(connected), sender };
      if (text !== '') return await say(client, terminal, { ...speaker, content: text }, values.json ?? false);
      return await new Repl(client, terminal, speaker).run(`openclaw ${connected.server.version} at ${target.url}`);
    } finally {
      client.close();
    }
  },
};

async function say(
  client: GatewayClient,
  terminal: Terminal,
  message: MessageInPayload,
  asJson: boolean,
): Promise<number> {
  const leave = new AbortController();
  const reply = client.send(message);
  const stopListening = terminal.onInterrupt(() => {
    if (leave.signal.aborted) client.close();
    leave.abort();
    reply.cancel();
  });
  try {
    const printer = new AnswerPrinter(terminal);
    watchConnection(client, (note) => printer.note(note));
    if (!asJson) for await (const event of reply) printer.take(event);
    const end = await reply.ended;
    if (asJson) {
      const { message_ref, session_id } = await reply.acknowledged;
      const blocks = end?.error ? [] : await reply.blocks();
      printJson(terminal, { message_ref, session_id, blocks, end });
    }
    return end?.error || leave.signal.aborted ? EXIT.failed : EXIT.done;
  } finally {
    stopListening();
  }
}

/** The default of a user's credential is the web chat (protocol.md section 3). */
function defaultChannel({ role }: ConnectedPayload): string {
  return role === 'user' ? 'webchat' : 'cli';
}

/** Returns the only sender that a user's credential may use. Undefined for other roles, and if the gateway does not say. */
async function readSender(client: GatewayClient, { role }: ConnectedPayload): Promise<string | undefined> {
  if (role !== 'user') return undefined;
  const identity = await client.ask('webchat.identify', {}).catch(() => undefined);
  return (identity as WebchatIdentity | undefined)?.sender;
}

/**
 * Returns the same id for each run of the same person on the same host, so that the gateway knows what was not
 * delivered yet.
 */
function stableClientId({ host, user }: Terminal, { channel, sender }: { channel?: string; sender?: string }): string {
  const who = JSON.stringify([host, user, channel, sender]);
  return `chat-${createHash('sha256').update(who).digest('hex').slice(0, 16)}`;
}
