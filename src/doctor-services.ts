import { statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { JSONWebKeySet } from 'jose';
import { listModels } from './agents/models/model-lists.js';
import { findProvider } from './agents/pi/providers.js';
import { listIssuers } from './auth/jwt/jwt.settings.js';
import { loadKeys } from './auth/jwt/load-keys.js';
import { loadProvider } from './auth/oidc/oidc-provider.js';
import { discordSettings } from './channels/discord/discord.settings.js';
import { slackSettings } from './channels/slack/slack.settings.js';
import { telegramSettings } from './channels/telegram/telegram.settings.js';
import { whatsappSettings } from './channels/whatsapp/whatsapp.settings.js';
import { DEFAULT_ACCOUNT } from './core/channels/account-settings.js';
import type { CheckedAccount } from './core/channels/driver.js';
import type { ConfigStoreService } from './core/config/config-store.service.js';
import { SilentLogs } from './core/telemetry/logs.js';
import { SystemClock } from './core/time/clock.js';
import { tryTo, type Finding, type Says } from './doctor-findings.js';
import { MIN_FREE_BYTES } from './health/store-disk.js';
import { egressFetch, type EgressFetch } from './http/egress/egress-fetch.js';
import type { MovedChatOf } from './stores/store-engine.js';

const BYTES_PER_MIB = 1_048_576;

/** Difference from another clock from which on tokens and signatures are refused, in milliseconds. */
const MAX_OFFSET_MS = 30_000;

/** Compares the clock of this machine with those of the services that are asked. */
export class ClockComparison {
  private host = '';
  private offsetMs: number | undefined;

  /** Makes a request, and compares the `Date` of its response. */
  readonly fetch: EgressFetch = async (url, init) => {
    const response = await egressFetch(url, init);
    const theirs = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(theirs)) {
      this.offsetMs = Date.now() - theirs;
      this.host = new URL(url instanceof Request ? url.url : url).host;
    }
    return response;
  };

  /** @param store the file of the store: it was not written in the future, unless a clock is or was wrong */
  examine(store: string | undefined): Says {
    const now = new Date().toISOString();
    const offsetS = Math.round((this.offsetMs ?? 0) / 1_000);
    if (Math.abs(this.offsetMs ?? 0) > MAX_OFFSET_MS)
      return {
        state: 'note',
        says: `${now} is ${Math.abs(offsetS)} s ${offsetS > 0 ? 'ahead of' : 'behind'} ${this.host}`,
      };
    const written = store === undefined ? undefined : statSync(store, { throwIfNoEntry: false })?.mtimeMs;
    if (written !== undefined && written > Date.now() + MAX_OFFSET_MS)
      return {
        state: 'note',
        says: `${now} is before the last write to the store, ${new Date(written).toISOString()}`,
      };
    const compared = this.offsetMs === undefined ? 'no service was asked' : `${this.host} agrees`;
    return { state: 'ok', says: `${now}; ${compared}` };
  }
}

/** Looks at the free space of the disks that hold folders. A gateway starts on a full one, and stores nothing. */
export async function examineDisks(folders: readonly string[]): Promise<Says> {
  const free = await Promise.all(folders.map(async (folder) => ({ folder, bytes: await readFree(folder) })));
  const state = free.some(({ bytes }) => bytes < MIN_FREE_BYTES) ? 'note' : 'ok';
  return {
    state,
    says: free.map(({ folder, bytes }) => `${Math.floor(bytes / BYTES_PER_MIB)} MiB free in ${folder}`).join('; '),
  };
}

/** Returns the free bytes of the disk of a folder, which need not exist yet. */
async function readFree(folder: string): Promise<number> {
  for (let place = resolve(folder); ; place = dirname(place)) {
    try {
      const { bavail, bsize } = await statfs(place);
      return bavail * bsize;
    } catch (error) {
      if (dirname(place) === place) throw error;
    }
  }
}

/** Asks the configured providers for their models. A gateway starts without them, and their agents do not answer. */
export async function* examineProviders(config: ConfigStoreService, fetch: EgressFetch): AsyncGenerator<Finding> {
  const providers = config.get('providers');
  for (const name of Object.keys(providers)) {
    const provider = findProvider(providers, name);
    if (!provider) continue;
    const says = await tryTo(async () => {
      const models = await listModels(name, provider, fetch);
      return { state: 'ok', says: `${name}: ${provider.base_url} has ${models.length} models` };
    });
    yield { subject: 'provider', ...asNote(says, name) };
  }
}

/** Asks identity providers for their keys. A gateway starts without them, and refuses tokens that it cannot check. */
export async function* examineIssuers(config: ConfigStoreService, fetch: EgressFetch): AsyncGenerator<Finding> {
  const clock = new SystemClock();
  for (const setting of listIssuers((key) => config.get(key)))
    yield examineIssuer(setting.issuer, () => loadKeys(setting, config.folder, fetch, clock));
  const page = config.get('auth.oidc');
  if (page) yield examineIssuer(page.issuer, async () => (await loadProvider(fetch, clock, page.issuer)).keys);
}

async function examineIssuer(issuer: string, load: () => Promise<JSONWebKeySet>): Promise<Finding> {
  const says = await tryTo(async () => ({ state: 'ok', says: `${issuer} has ${(await load()).keys.length} keys` }));
  return { subject: 'identity', ...says, ...(says.state === 'fault' && { state: 'note' }) };
}

/** An account of a channel, and how its driver asks the platform about it. */
interface Account {
  readonly channel: string;
  readonly common: { readonly group_policy: string; readonly groups: readonly (string | number)[] };
  readonly check: () => Promise<CheckedAccount>;
  /** Returns whether the remark of the driver needs a remedy. */
  readonly isNoted: (common: Account['common']) => boolean;
}

/**
 * Asks the platforms about the configured accounts, and names groups of Telegram that have another ID now. A gateway starts in
 * any case.
 */
export async function* examineChannels(
  config: ConfigStoreService,
  movedChats: readonly MovedChatOf[],
): AsyncGenerator<Finding> {
  for (const { channel, common, check, isNoted } of listAccounts(config)) {
    const listed = new Set(common.groups.map(String));
    for (const { from, to } of movedChats.filter((chat) => chat.channel === channel && listed.has(chat.from)))
      yield {
        subject: 'channels',
        state: 'note',
        says: `${channel}: the group ${from} is ${to} now; change it in groups`,
      };
    const says = await tryTo(async () => {
      const { name, remarks: all = [] } = await check();
      const remarks = isNoted(common) ? all : [];
      return {
        state: remarks.length === 0 ? 'ok' : 'note',
        says: [`${channel} speaks as ${name}`, ...remarks].join('\n'),
      };
    });
    yield { subject: 'channels', ...asNote(says, channel) };
  }
}

/** A gateway starts in spite of it. */
function asNote(says: Says, name: string): Says {
  if (says.state !== 'fault') return says;
  return { state: 'note', says: says.says.startsWith(name) ? says.says : `${name}: ${says.says}` };
}

function servesGroups({ group_policy: policy, groups }: Account['common']): boolean {
  return policy === 'open' || (policy === 'allowlist' && groups.length > 0);
}

/** The drivers whose platforms can be asked. */
const DRIVERS = [
  {
    name: 'telegram',
    settings: telegramSettings,
    // It is about groups.
    isNoted: servesGroups,
    load: async () => {
      const { TelegramDriver } = await import('./channels/telegram/telegram.driver.js');
      const { TelegramWebhooks } = await import('./channels/telegram/webhooks.js');
      return new TelegramDriver(new SystemClock(), new TelegramWebhooks());
    },
  },
  {
    name: 'slack',
    settings: slackSettings,
    isNoted: () => true,
    load: async () => {
      const { SlackDriver } = await import('./channels/slack/slack.driver.js');
      const { SlackAccounts } = await import('./channels/slack/accounts.js');
      return new SlackDriver(new SystemClock(), new SlackAccounts());
    },
  },
  {
    name: 'whatsapp',
    settings: whatsappSettings,
    // It is a step of the set-up, which the platform does not show as done.
    isNoted: () => false,
    load: async (config: ConfigStoreService) => {
      const { WhatsappDriver } = await import('./channels/whatsapp/whatsapp.driver.js');
      const { WhatsappWebhooks } = await import('./channels/whatsapp/webhooks.js');
      return new WhatsappDriver(new SystemClock(), new WhatsappWebhooks(config, new SilentLogs()));
    },
  },
  {
    name: 'discord',
    settings: discordSettings,
    isNoted: () => true,
    load: async () => {
      const { DiscordDriver } = await import('./channels/discord/discord.driver.js');
      return new DiscordDriver(new SystemClock());
    },
  },
] as const;

function listAccounts(config: ConfigStoreService): readonly Account[] {
  return DRIVERS.flatMap(({ name, settings, isNoted, load }) =>
    settings.listAccounts(config).map((account) => {
      const { common, own } = settings.read(config, account);
      const channel = account === DEFAULT_ACCOUNT ? name : `${name}.${account}`;
      return { channel, common, isNoted, check: async () => (await load(config)).check(own as never) };
    }),
  );
}
