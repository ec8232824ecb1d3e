import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../../core/config/section.js';
import { address } from '../../core/config/setting-kinds.js';

const HostName = Type.String({ pattern: '^[A-Za-z0-9.:_\\[\\]-]{1,260}$' });

/** Arguments that would lead around the proxy, open the browser to others or move its folder. */
const REFUSED_ARGUMENT = /^--(proxy-|host-|remote-|user-data-dir|webrtc-|force-webrtc|no-proxy|disable-web-security)/;

/** The browser of the agents, and its limits. */
export const browserSettings = defineSettings(
  {
    'tools.browser.enabled': Type.Boolean({
      default: false,
      'x-scope': 'config:dangerous',
      description: 'Whether the tools `browser.*` work. Sessions need the permission `browser` too.',
    }),
    'tools.browser.executable': Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4_096,
        'x-scope': 'config:dangerous',
        description: 'Path of the Chromium that is started. Default: the first one that is found on the machine.',
      }),
    ),
    'tools.browser.cdp_url': Type.Optional(
      address('https?|wss?', {
        'x-scope': 'config:dangerous',
        description: 'Address of the DevTools of a Chromium that runs elsewhere. It is used instead of starting one.',
      }),
    ),
    'tools.browser.args': Type.Array(Type.String({ pattern: '^--[a-z]', maxLength: 1_024 }), {
      default: [],
      maxItems: 64,
      'x-scope': 'config:dangerous',
      description: 'Further arguments of the Chromium that is started; those of proxies and addresses are refused.',
    }),
    'tools.browser.allow_hosts': Type.Array(HostName, {
      default: [],
      'x-scope': 'config:dangerous',
      description:
        'Hosts (`NAME` or `NAME:PORT`) that pages may reach even if their address is private; public hosts are always allowed, the gateway itself never.',
    }),
    'tools.browser.max_contexts': Type.Integer({
      default: 4,
      minimum: 1,
      maximum: 64,
      'x-scope': 'config:dangerous',
      description: 'Sessions with an open browser. One more closes the one that was idle for longest.',
    }),
    'tools.browser.persist': Type.Boolean({
      default: false,
      'x-scope': 'config:dangerous',
      description:
        'Whether cookies and local storage of a session are kept in a file beside the store until the session is deleted.',
    }),
    'tools.browser.confirm_submits': Type.Boolean({
      default: true,
      'x-scope': 'config:dangerous',
      description:
        'Whether a person must approve acts that send a form by POST or look like a purchase. To enter a password always needs it.',
    }),
    'tools.browser.call_timeout_ms': Type.Integer({
      default: 20_000,
      minimum: 1_000,
      maximum: 120_000,
      description: 'Time limit of one call of a tool of the browser, in milliseconds.',
    }),
  },
  { rules: [findArgumentFaults] },
);

function findArgumentFaults(get: SettingsReader): SettingFault[] {
  return get('tools.browser.args').flatMap((argument, i) =>
    REFUSED_ARGUMENT.test(argument)
      ? [{ key: `tools.browser.args[${i}]`, message: `${argument.split('=')[0]} would lead around the egress guard` }]
      : [],
  );
}
