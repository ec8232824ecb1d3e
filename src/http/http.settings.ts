import { isIP } from 'node:net';
import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../core/config/section.js';
import { isNetwork } from './addresses.js';

const HOST_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/;

/** The gateway's address, and the requests that it accepts. */
export const httpSettings = defineSettings(
  {
    'gateway.host': Type.String({
      default: '127.0.0.1',
      minLength: 1,
      'x-scope': 'config:dangerous',
      description: 'Address to listen on. Addresses beyond loopback need a credential.',
      'x-restart': true,
    }),
    'gateway.port': Type.Integer({
      default: 18_789,
      minimum: 0,
      maximum: 65_535,
      description: 'Port for HTTP and WebSocket; 0 picks a free one, printed at start.',
      'x-restart': true,
    }),
    'gateway.allowed_origins': Type.Array(Type.String({ pattern: '^[a-z][a-z0-9+.-]*://[^/\\s*?#@]+$' }), {
      default: [],
      'x-scope': 'config:dangerous',
      description: 'Origins of web pages that may connect, in addition to loopback on its own port.',
    }),
    'gateway.allowed_hosts': Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      'x-scope': 'config:dangerous',
      description: 'Host names that requests may use, in addition to loopback and the bound host.',
    }),
    'gateway.trusted_proxies': Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      'x-scope': 'config:dangerous',
      description: 'Addresses or CIDR ranges of proxies whose forwarding headers count.',
      'x-restart': true,
    }),
  },
  { rules: [findHostFaults, findNetworkFaults] },
);

function findHostFaults(get: SettingsReader): SettingFault[] {
  const host = get('gateway.host');
  if (isIP(host) !== 0 || HOST_NAME.test(host)) return [];
  const message = 'must be an IP address (without brackets) or a host name; 0.0.0.0 and :: listen on all addresses';
  return [{ key: 'gateway.host', message }];
}

function findNetworkFaults(get: SettingsReader): SettingFault[] {
  const message = 'must be an IP address or a range such as 10.0.0.0/8';
  return get('gateway.trusted_proxies').flatMap((entry, i) =>
    isNetwork(entry) ? [] : [{ key: `gateway.trusted_proxies[${i}]`, message }],
  );
}
