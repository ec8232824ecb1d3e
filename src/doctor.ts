import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PromptFiles } from './agents/pi/prompt-files.js';
import { AgentsService } from './core/agents/agents.service.js';
import { ConfigStoreService } from './core/config/config-store.service.js';
import type { LoadedSettings } from './core/config/load-settings.js';
import type { Environment } from './core/config/section.js';
import { MAX_AHEAD_MS } from './core/cron/missed.js';
import { hostTimezone, zoneDataVersion } from './core/cron/timezone.js';
import { SilentLogs } from './core/telemetry/logs.js';
import { SystemClock } from './core/time/clock.js';
import { faultOf, tryTo, withMend, type Finding, type Says } from './doctor-findings.js';
import { ClockComparison, examineChannels, examineDisks, examineIssuers, examineProviders } from './doctor-services.js';
import { checkAddress } from './http/listen-address.js';
import { loadSettingsAndModules } from './settings.js';
import { NO_JOBS, type StoredJobs, type MovedChatOf } from './stores/store-engine.js';
import { findMediaFolder, getStoreEngine } from './stores/store-engines.js';
import { examineTailscale } from './tailscale/examine-tailscale.js';
import { TailscaleProgram } from './tailscale/tailscale-program.js';
import { examineBrowser } from './tools/browser/process/examine-browser.js';
import { BubblewrapEngine } from './tools/sandbox/bubblewrap-engine.js';
import { DockerEngine } from './tools/sandbox/docker-engine.js';
import { findEngine } from './tools/sandbox/find-engine.js';

/**
 * Examines what a start of the gateway needs, without starting one and without writing anything. A gateway may run.
 * @param onTable if given, the whole store is read, and it is called before each of its tables
 */
export async function* examine(
  environment: Environment,
  onTable?: (table: string, n: number, of: number) => void,
): AsyncGenerator<Finding> {
  for await (const finding of findAll(environment, onTable)) yield withMend(finding);
}

async function* findAll(
  environment: Environment,
  onTable?: (table: string, n: number, of: number) => void,
): AsyncGenerator<Finding> {
  yield { subject: 'node', state: 'ok', says: `version ${process.versions.node} at ${process.execPath}` };
  let settings;
  try {
    ({ settings } = await loadSettingsAndModules(environment, {}));
  } catch (error) {
    // The other subjects are where the settings say.
    return yield { subject: 'settings', ...faultOf(error) };
  }
  const { values, warnings } = settings;
  yield { subject: 'settings', state: 'ok', says: 'valid' };
  for (const says of warnings) yield { subject: 'settings', state: 'note', says };

  let holder: number | undefined;
  let stored: Readonly<Record<string, string>> = {};
  let jobs: StoredJobs = NO_JOBS;
  let movedChats: readonly MovedChatOf[] = [];
  const store = await tryTo(async () => {
    const url = values['store.url'];
    const examined = await getStoreEngine(url).examine(url, onTable);
    ({ holder, settings: stored, jobs, movedChats } = examined);
    examined.writes.forEach(checkWritable);
    return { state: 'ok', says: examined.says };
  });
  yield { subject: 'store', ...store };
  let config: ConfigStoreService | undefined;
  const complete = await tryTo(async () => {
    config = await openStored(settings, stored);
    return { state: 'ok', says: 'valid' };
  });
  if (complete.state === 'fault') yield { subject: 'settings', ...complete };
  if (config) yield* examineChannels(config, movedChats);
  const folder = findMediaFolder(values['media.folder'], values['store.url']);
  const media = await tryTo(() => {
    checkWritable(folder);
    return { state: 'ok', says: `${folder} can be written` };
  });
  // A gateway starts without the folder, and refuses uploads.
  yield { subject: 'media', ...media, ...(media.state === 'fault' && { state: 'note' }) };
  yield { subject: 'address', ...(await examineAddress(values['gateway.host'], values['gateway.port'], holder)) };
  if (config?.get('gateway.expose_via_tailscale')) yield { subject: 'tailscale', ...(await examineExposure(config)) };
  yield* examineSurroundings(values, config, folder);
  yield { subject: 'cron', ...examineJobs(jobs, values['cron.timezone'] ?? hostTimezone()) };
}

/** Examines what a gateway needs of its machine and of the services that it is configured for. */
async function* examineSurroundings(
  values: LoadedSettings['values'],
  config: ConfigStoreService | undefined,
  mediaFolder: string,
): AsyncGenerator<Finding> {
  const clock = new ClockComparison();
  if (config) yield* examineIssuers(config, clock.fetch);
  if (config) yield* examineProviders(config, clock.fetch);
  yield* examineTools(values);
  const url = values['store.url'];
  const path = getStoreEngine(url).findPath(url);
  const folders = path === undefined ? [mediaFolder] : [dirname(path), mediaFolder];
  yield { subject: 'disk', ...(await tryTo(() => examineDisks(folders))) };
  yield { subject: 'clock', ...clock.examine(path) };
}

/** States what decides when jobs are due, and due times that only a wrong clock can have made. */
function examineJobs({ count, lastDue = 0 }: StoredJobs, timezone: string): Says {
  const says = `${count} jobs; those that name no zone are made in ${timezone}; zone data ${zoneDataVersion()}`;
  if (lastDue <= new SystemClock().now() + MAX_AHEAD_MS) return { state: 'ok', says };
  const when = new Date(lastDue).toISOString();
  return {
    state: 'note',
    says: `${says}\na job was due at ${when}, far ahead of this clock: the clock is or was wrong`,
  };
}

/** Examines what the commands and the browser of agents need. */
async function* examineTools(values: LoadedSettings['values']): AsyncGenerator<Finding> {
  const sandbox = await examineSandbox(values['tools.sandbox.engine'], values['tools.sandbox.image']);
  yield { subject: 'sandbox', ...sandbox };
  if (!values['tools.browser.enabled']) return;
  const browser = await tryTo(async () => {
    const says = await examineBrowser(values['tools.browser.executable'], values['tools.browser.cdp_url']);
    return { state: 'ok', says };
  });
  // A gateway starts without one, and the calls of its tools give the same reason.
  yield { subject: 'browser', ...browser, ...(browser.state === 'fault' && { state: 'note' }) };
}

/** Loads the engines and looks for one as a command would. A gateway starts without any, and refuses commands. */
async function examineSandbox(setting: string, image: string): Promise<Says> {
  // Under an owner of its own, so that it ends nothing of a gateway that runs.
  const engines = [new DockerEngine({ owner: `doctor-${process.pid}`, image: () => image }), new BubblewrapEngine()];
  const says = await tryTo(async () => {
    const { name } = await findEngine(engines, setting);
    return { state: 'ok', says: `commands of tools run in ${name}` };
  });
  return says.state === 'fault' ? { ...says, state: setting === 'none' ? 'ok' : 'note' } : says;
}

function examineExposure(config: ConfigStoreService): Promise<Says> {
  const program = new TailscaleProgram(
    () => config.get('gateway.tailscale_bin'),
    () => config.get('gateway.tailscale_socket'),
  );
  const [port, mode] = [config.get('gateway.tailscale_port'), config.get('gateway.tailscale_mode')];
  return examineTailscale(program, { port, mode });
}

/**
 * Opens the settings together with those that were changed at run time, and checks them, as the start does.
 * @throws Error with every fault
 */
async function openStored(
  settings: LoadedSettings,
  stored: Readonly<Record<string, string>>,
): Promise<ConfigStoreService> {
  const logs = new SilentLogs();
  const config = new ConfigStoreService(settings, logs);
  const store = { version: 0, values: stored };
  await config.open({
    readSettings: async () => store,
    changeSettings: async () => undefined,
    listSettingsVersions: async () => [],
  });
  await new PromptFiles(config, new AgentsService(config), logs).check();
  return config;
}

/** A gateway that has the store open is taken for the one that uses the port. */
async function examineAddress(host: string, port: number, holder: number | undefined): Promise<Says> {
  const says = await tryTo(async () => {
    await checkAddress(host, port);
    return { state: 'ok', says: `${host}:${port} is free` };
  });
  if (holder === undefined || says.state !== 'fault') return says;
  return { state: 'ok', says: `${host}:${port} is in use, as it should be while a gateway runs` };
}

/** @throws Error if this user cannot write a file or folder, or create it */
function checkWritable(path: string): void {
  let place = resolve(path);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  if (place !== resolve(path) && !statSync(place).isDirectory())
    throw new Error(`${path} cannot be created: ${place} is not a folder`);
  try {
    accessSync(place, constants.W_OK);
  } catch (error) {
    throw new Error(`${place} cannot be written to: change its owner or its mode`, { cause: error });
  }
}
