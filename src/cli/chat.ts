import { createHash } from 'node:crypto';
import { AnswerPrinter } from './answer-printer.js';
import { openClient, watchConnection, type Speaker } from './chat-client.js';
import type { Command } from './command.js';
import { Conversation } from './conversation.js';
import { EXIT, UsageError } from './faults.js';
import { GATEWAY_OPTIONS, readOptions, readTarget, type GatewayTarget } from './options.js';
import type { Terminal } from './terminal.js';

/** `openclaw chat`: talks to the agent. */
export const chat: Command = {
  name: 'chat',
  summary: 'talk to the agent: one message, or a conversation',
  usage: `Usage: openclaw chat [TEXT] [--channel NAME] [--sender NAME] [--client-id NAME] [--url URL] [--json]

With TEXT: sends it, prints the answer while it comes, and exits (1 when it ended with an error). Without: a conversation;
Ctrl-C stops an answer, Ctrl-C again or Ctrl-D leaves. The conversation of one sender goes on from one run to the next.

  --channel NAME    the channel to speak on (default cli)
  --sender NAME     who speaks (default: your user name)
  --client-id NAME  the name of this client; two conversations at the same time need two names
  --url URL         where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json            with TEXT: print the whole answer as JSON when it is there

OPENCLAW_TOKEN holds the credential; the answer goes to standard output, everything else to standard error.
`,
  async run(args, terminal) {
    const names = { channel: { type: 'string' }, sender: { type: 'string' }, 'client-id': { type: 'string' } } as const;
    const { values, positionals } = readOptions('chat', args, { ...GATEWAY_OPTIONS, ...names }, true);
    const target = readTarget('chat', values.url, terminal.env);
    const speaker = { channel: values.channel ?? 'cli', sender: values.sender ?? terminal.user };
    const text = positionals.join(' ');
    if (text !== '') return say(terminal, target, speaker, { text, clientId: values['client-id'], asJson: values.json ?? false });
    if (values.json) throw new UsageError('--json needs TEXT', 'chat');
    return converse(terminal, target, speaker, values['client-id'] ?? stableClientId(terminal, speaker));
  },
};

async function converse(terminal: Terminal, target: GatewayTarget, speaker: Speaker, clientId: string): Promise<number> {
  const { client, connected } = await openClient(terminal, target, clientId);
  try {
    return await new Conversation(client, terminal, speaker).run(`openclaw ${connected.server.version} at ${target.url}`);
  } finally {
    client.close();
  }
}

interface OneMessage {
  readonly text: string;
  readonly clientId: string | undefined;
  readonly asJson: boolean;
}

async function say(terminal: Terminal, target: GatewayTarget, speaker: Speaker, { text, clientId, asJson }: OneMessage): Promise<number> {
  const { client } = await openClient(terminal, target, clientId);
  const leave = new AbortController();
  const reply = client.send({ ...speaker, content: text });
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
      terminal.stdout.write(`${JSON.stringify({ message_ref, session_id, blocks, end }, null, 2)}\n`);
    }
    return end?.error || leave.signal.aborted ? EXIT.failed : EXIT.done;
  } finally {
    stopListening();
    client.close();
  }
}

/** The same for each run of the same person in the same place, so that the gateway knows what was not delivered yet. */
function stableClientId({ host, user }: Terminal, { channel, sender }: Speaker): string {
  const who = JSON.stringify([host, user, channel, sender]);
  return `chat-${createHash('sha256').update(who).digest('hex').slice(0, 16)}`;
}
