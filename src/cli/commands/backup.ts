import { statSync } from 'node:fs';
import { sealBackup } from '../../core/housekeeping/sealed-backup.js';
import { BackupCheck } from './backup-check.js';
import type { Command } from '../command.js';
import { readChecked, saveWhole } from '../download.js';
import { EXIT, UsageError } from '../faults.js';
import { requestStream } from '../http.js';
import { GATEWAY_OPTIONS, readOptions, readTarget } from '../options.js';
import { readPassphrase } from '../passphrase.js';
import { printJson } from '../terminal.js';

const OPTIONS = { ...GATEWAY_OPTIONS, 'passphrase-file': { type: 'string' } } as const;

/** The copy of a large store takes a while before the first byte. */
const COPY_TIMEOUT_MS = 3_600_000;

/** `openclaw backup`: a consistent copy of a running gateway. */
export const backup: Command = {
  name: 'backup',
  summary: 'a consistent copy of a running gateway, in one file',
  usage: `Usage: openclaw backup FILE [--passphrase-file FILE] [--url URL] [--json]

Writes a copy of everything that a running gateway has stored to FILE, a tar archive: the database, the uploaded files, and
a manifest with counts and hashes. The gateway goes on meanwhile. FILE exists only if the copy is complete. It holds all
secrets and all tenants: only you can read it, keep it so.

  --passphrase-file FILE
             seal the copy: it can be read only with the passphrase in FILE
  --url URL  where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the manifest without its list of files

It needs a credential with the scope admin:write, of an operator of all tenants. openclaw restore puts the copy back.

Examples:
  openclaw backup gateway-$(date +%F).tar
  openclaw backup nightly.tar.sealed --passphrase-file /etc/openclaw/backup.passphrase
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('backup', args, OPTIONS, true);
    const [file, extra] = positionals;
    if (file === undefined) throw new UsageError('backup needs a FILE', 'backup');
    if (extra !== undefined) throw new UsageError(`Unexpected argument ${extra}`, 'backup');
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`${file} is a folder: name the file of the backup`, 'backup');
    const passphrase = readPassphrase(values['passphrase-file']);
    const target = readTarget('backup', values.url, terminal);
    const body = await requestStream(terminal, target, '/admin/v1/backup', { method: 'POST' }, COPY_TIMEOUT_MS);
    const check = new BackupCheck();
    const archive = readChecked(body, { take: (chunk) => check.read(chunk), end: () => void check.finish() });
    await saveWhole(passphrase === undefined ? archive : sealBackup(archive, passphrase), file);
    const { files, ...manifest } = check.finish();
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    if (values.json) printJson(terminal, { ...manifest, files: files.length, bytes });
    else {
      const lost = manifest.missing.length > 0 ? `, ${manifest.missing.length} uploaded files were gone already` : '';
      terminal.stdout.write(
        `${file}: ${files.length - 1} uploaded files, ${bytes} bytes${lost}\n` +
          `head of the audit trail: ${manifest.audit.entry}:${manifest.audit.hash}\n`,
      );
    }
    return EXIT.done;
  },
};
