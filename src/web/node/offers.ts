import { CommandError, NodeMedia, type NodeCommandSetup } from '../../client/node/browser.js';
import { snap } from './camera.js';
import { texts } from './texts.js';

/** The permission of the browser for something: `prompt` means that it asks the person. */
export type Permission = 'granted' | 'prompt' | 'denied' | 'missing';

/** Something that the page can offer. */
export interface Offer {
  readonly key: keyof typeof texts.offers;
  readonly command: NodeCommandSetup;
  /** Returns what the browser says now. */
  permission(): Promise<Permission>;
  /** Asks the person. Call it when a button is pressed: browsers ask then only. */
  ask(): Promise<void>;
}

const POSITION_TIMEOUT_MS = 20_000;
const TIMEOUT_MS = 60_000;

/** Returns the state of a permission; `prompt` where the browser does not tell. */
async function query(name: string): Promise<Permission> {
  try {
    return (await navigator.permissions.query({ name: name as PermissionName })).state;
  } catch {
    return 'prompt';
  }
}

/** Refuses at once what was denied, and says when the browser asks its person. */
async function checkPermission(
  { key, permission }: Pick<Offer, 'key' | 'permission'>,
  progress: (detail: string) => void,
): Promise<void> {
  if (document.visibilityState === 'hidden') throw new CommandError('NOT_IN_FRONT', 'the page is not in front');
  const state = await permission();
  const { name } = texts.offers[key];
  if (state === 'denied')
    throw new CommandError(
      'PERMISSION_DENIED',
      `${name} is denied: a person has to allow it in the settings of the browser for this page`,
    );
  if (state === 'missing') throw new CommandError('NOT_AVAILABLE', `this browser has no ${name.toLowerCase()}`);
  if (state === 'prompt') progress('waiting for a permission on the device');
}

const camera: Offer = {
  key: 'camera',
  command: {
    name: 'camera.snap',
    description: 'Takes a picture with the camera of this device.',
    parameters: {
      type: 'object',
      properties: {
        facing: {
          type: 'string',
          enum: ['user', 'environment'],
          description: 'Which camera: that at the screen, or at the back.',
        },
      },
      additionalProperties: false,
    },
    timeoutMs: TIMEOUT_MS,
    async run({ facing = 'environment' }, { signal, progress }) {
      await checkPermission(camera, progress);
      return new NodeMedia(await snap(facing as 'user' | 'environment', signal));
    },
  },
  permission: async () => ('mediaDevices' in navigator ? query('camera') : 'missing'),
  async ask() {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true });
    for (const track of stream.getTracks()) track.stop();
  },
};

function locate(signal?: AbortSignal): Promise<GeolocationPosition> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    navigator.geolocation.getCurrentPosition(
      resolve,
      ({ code, message }) => reject(new CommandError(code === 1 ? 'PERMISSION_DENIED' : 'NOT_AVAILABLE', message)),
      { enableHighAccuracy: true, timeout: POSITION_TIMEOUT_MS },
    );
  });
}

const location: Offer = {
  key: 'location',
  command: {
    name: 'location.get',
    description: 'Returns the location of this device.',
    parameters: { type: 'object', properties: {}, additionalProperties: false },
    timeoutMs: TIMEOUT_MS,
    idempotent: true,
    async run(_parameters, { signal, progress }) {
      await checkPermission(location, progress);
      const { coords, timestamp } = await locate(signal);
      const { latitude, longitude, accuracy } = coords;
      return { latitude, longitude, accuracy_m: accuracy, at: new Date(timestamp).toISOString() };
    },
  },
  permission: async () => ('geolocation' in navigator ? query('geolocation') : 'missing'),
  async ask() {
    await locate();
  },
};

const notifications: Offer = {
  key: 'notifications',
  command: {
    name: 'notify.show',
    description: 'Shows a notification on this device.',
    parameters: {
      type: 'object',
      properties: {
        title: { type: 'string', minLength: 1, maxLength: 100 },
        text: { type: 'string', minLength: 1, maxLength: 500 },
      },
      required: ['title', 'text'],
      additionalProperties: false,
    },
    timeoutMs: TIMEOUT_MS,
    async run(parameters, { progress }) {
      await checkPermission(notifications, progress);
      const { title, text } = parameters as { title: string; text: string };
      if (Notification.permission === 'default' && (await Notification.requestPermission()) !== 'granted')
        throw new CommandError('PERMISSION_DENIED', 'the person did not allow notifications');
      await show(title, text);
      return { shown: true };
    },
  },
  async permission() {
    if (!('Notification' in globalThis)) return 'missing';
    return Notification.permission === 'default' ? 'prompt' : Notification.permission;
  },
  async ask() {
    await Notification.requestPermission();
  },
};

/** Shows it by a service worker where the page has one: Android throws on the constructor. */
async function show(title: string, body: string): Promise<void> {
  const worker = await navigator.serviceWorker?.getRegistration();
  if (worker) return worker.showNotification(title, { body });
  try {
    void new Notification(title, { body });
  } catch (error) {
    throw new CommandError(
      'NOT_AVAILABLE',
      `this browser shows no notifications of a page: ${(error as Error).message}`,
    );
  }
}

export const OFFERS: readonly Offer[] = [camera, location, notifications];
