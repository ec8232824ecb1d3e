/** The texts of the page for devices. */
export const texts = {
  heading: 'This device',
  insecure: {
    text: 'Browsers give cameras, locations and keys to secure pages only, and this address is not one.',
    help: 'Open the gateway by https: through Tailscale Serve, or a proxy with a certificate. On the machine of the gateway itself, http://localhost works too.',
  },
  pairing: {
    explanation: 'An agent can use what you offer here, while this page is in front. Your browser asks you first.',
    code: 'Code of openclaw nodes pair',
    name: 'Name of this device',
    submit: 'Pair',
    working: 'Pairing…',
    refused: 'This code is wrong, was used before, or has expired. Make a new one.',
    throttled: 'Too many attempts. Wait a minute.',
    unreachable: 'The gateway does not respond.',
    unsupported:
      'This browser cannot make the key that a device needs. It takes Safari 17, Chrome 137, Firefox 129 or newer.',
  },
  states: {
    idle: 'Starting…',
    connecting: 'Connecting…',
    registered: 'Connected. Keep this page in front.',
    waiting: 'Not connected. Trying again…',
    ended: 'The gateway does not accept this device any more.',
  },
  offers: {
    camera: { name: 'Camera', text: 'Takes one picture when an agent asks; the light goes off after it.' },
    location: { name: 'Location', text: 'Gives the location of this device.' },
    notifications: { name: 'Notifications', text: 'Shows a message of an agent.' },
  },
  allow: 'Allow',
  allowed: 'Allowed',
  denied: 'Denied: allow it in the settings of the browser for this page.',
  missing: 'This browser has none.',
  forget: 'Forget this device',
  notKept:
    'The browser may delete the key of this device when room runs short. On an iPhone, add this page to the home screen.',
  elsewhere: 'This device is open in another tab of this browser. This tab takes its place when that one is closed.',
  noStorage:
    'This browser keeps no data of this page, and a device needs its key. Allow it in the settings of the browser, or leave the private window.',
  activity: 'Last calls',
  nothing: 'No calls yet.',
} as const;
