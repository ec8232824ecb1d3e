import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { readOptions } from '../options.js';
import { readPassphrase } from '../passphrase.js';
import { printJson } from '../terminal.js';

/** `openclaw restore`: puts a backup back. */
export const restore: Command = {
  name: 'restore',
  summary: 'puts a backup back, while no gateway runs',
  usage: `Usage: openclaw restore FILE [--passphrase-file FILE] [--config FILE] [--json]

Puts back what openclaw backup has written, at the place that the settings name. No gateway may run. The copy is checked
first: every hash, the database, its counts, the head of the audit trail. The database of before is kept beside the new one.

What was under way when the copy was made has been answered since, so it is not sent again: messages that waited end as
cancelled, replies that were not delivered are left out, and notes become dead letters (openclaw dead-letters retry).

  --passphrase-file FILE
                 the passphrase of a sealed copy
  --config FILE  the settings file (default: ./config.yaml if it exists)
  --json         print what was done as JSON

Examples:
  openclaw restore gateway-2026-11-27.tar
  openclaw restore nightly.tar --config /etc/openclaw/config.yaml
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions(
      'restore',
      args,
      { config: { type: 'string' }, 'passphrase-file': { type: 'string' }, json: { type: 'boolean' } },
      true,
    );
    const [file, extra] = positionals;
    if (file === undefined) throw new UsageError('restore needs a FILE', 'restore');
    if (extra !== undefined) throw new UsageError(`Unexpected argument ${extra}`, 'restore');
    const environment =
      values.config === undefined ? terminal.env : { ...terminal.env, OPENCLAW_CONFIG: values.config };
    const { restoreBackup } = await import('../../restore.js');
    const done = await restoreBackup(environment, file, readPassphrase(values['passphrase-file']));
    if (values.json) printJson(terminal, done);
    else {
      const { place, kept, made_at: madeAt, settled } = done;
      terminal.stdout.write(
        `${place} is the copy of ${new Date(madeAt).toISOString()}\n` +
          (kept === undefined ? '' : `the database of before is ${kept}\n`) +
          `not sent again: ${settled.messages} messages that waited, replies in ${settled.sessions} sessions, ` +
          `${settled.notes} notes (see openclaw dead-letters), ${settled.inbox} messages of platforms\n` +
          `back again: tokens that were revoked and people who were erased after that; revoke and erase them again\n`,
      );
    }
    return EXIT.done;
  },
};
