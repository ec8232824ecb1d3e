/** A result of an examination, in words for the operator. */
export interface Finding {
  readonly subject:
    | 'node'
    | 'settings'
    | 'channels'
    | 'store'
    | 'media'
    | 'disk'
    | 'address'
    | 'identity'
    | 'provider'
    | 'tailscale'
    | 'sandbox'
    | 'browser'
    | 'clock'
    | 'cron';
  /** A gateway starts in spite of a `note`, and does not with a `fault`. */
  readonly state: 'ok' | 'note' | 'fault';
  readonly says: string;
  /** The remedy; absent if there is nothing to mend. */
  readonly mend?: string;
}

/** A finding about one subject. */
export type Says = Omit<Finding, 'subject' | 'mend'>;

/** The remedy for a subject, where the finding has no remedy of its own. */
const MENDS: Readonly<Record<Finding['subject'], string>> = {
  node: 'run npm ci, which brings the right one along',
  settings: 'correct the named keys; docs/reference/settings.md says what each accepts',
  channels: 'correct the settings of the account: openclaw channels add NAME; for its outage, wait',
  store: 'correct store.url, free the file, or put a backup back: openclaw restore FILE',
  media: 'let the user of the gateway write the folder, or set media.folder',
  disk: 'free space, or move the store to a larger disk: store.url, media.folder',
  address: 'stop the other program, or choose another port: gateway.port',
  identity: 'check that the issuer is reachable from here, and its URL in auth.jwt or auth.oidc',
  provider: 'check its base_url and api_key: openclaw models test NAME/MODEL',
  tailscale: 'see docs/guides/tailscale.md',
  sandbox: 'install Docker or bubblewrap, or set tools.sandbox.engine to none; see docs/guides/sandbox.md',
  browser: 'install Chromium, or set tools.browser.executable; see docs/guides/browser.md',
  clock: 'synchronise the clock of this machine, for example: timedatectl set-ntp true',
  cron: 'correct the clock, then remove the job: openclaw cron remove ID',
};

/** Adds to a finding how it is mended. */
export function withMend(finding: Finding): Finding {
  return finding.state === 'ok' ? finding : { ...finding, mend: MENDS[finding.subject] };
}

/** Returns what an examination finds; an error is a fault. */
export async function tryTo(work: () => Says | Promise<Says>): Promise<Says> {
  try {
    return await work();
  } catch (error) {
    return faultOf(error);
  }
}

/** Returns an error in words for the operator. */
export function faultOf(error: unknown): Says {
  return { state: 'fault', says: error instanceof Error ? error.message : String(error) };
}
