/** The places where a crash is most revealing (durability.md section 2). The crash suite kills the process at each. */
export const FAILPOINTS = [
  'enqueue.before_commit',
  'enqueue.after_commit',
  'ack.sent',
  'claim.after',
  'model.before_journal',
  'model.mid_stream',
  'tool.after_intent',
  'tool.after_effect',
  'block.mid_batch',
  'finish.before_commit',
  'finish.after_commit',
  'delivery.before_send',
  'delivery.after_send',
  'inbox.after_commit',
  'inbound.after_ack',
  'outbox.before_send',
  'outbox.after_send',
  'node.wanted',
  'node.sent',
  'node.before_result',
  'node.after_result',
  'node.before_ack',
  'cron.after_row',
  'cron.after_accept',
  'cron.after_move',
  'drain.mid',
  'config.mid',
  'migrate.mid',
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

const armed = parse(process.env['OPENCLAW_FAILPOINT']);

/**
 * Kills the process with SIGKILL at the nth call with `name` if `OPENCLAW_FAILPOINT=name:nth` is set; otherwise costs
 * one comparison. Each name is used in one thread only, so the count is exact.
 */
export function failpoint(name: Failpoint): void {
  if (armed === undefined || armed.name !== name) return;
  armed.remaining--;
  if (armed.remaining === 0) {
    process.kill(process.pid, 'SIGKILL');
    // In a worker thread the signal arrives a moment later; nothing may happen until then.
    for (;;);
  }
}

function parse(setting: string | undefined): { name: Failpoint; remaining: number } | undefined {
  if (!setting) return undefined;
  const [name, nth = '1'] = setting.split(':');
  if (!FAILPOINTS.includes(name as Failpoint) || !(Number(nth) >= 1)) {
    throw new Error(`OPENCLAW_FAILPOINT must be NAME:NTH with NAME one of ${FAILPOINTS.join(', ')}; got "${setting}"`);
  }
  return { name: name as Failpoint, remaining: Number(nth) };
}
