import Type from 'typebox';
import { defineSettings } from '../../core/config/section.js';

const HostName = Type.String({ pattern: '^[A-Za-z0-9.:_\\[\\]-]{1,260}$' });

/** Limits of the tool `http.fetch`. */
export const httpFetchSettings = defineSettings({
  'tools.http.allow_hosts': Type.Array(HostName, {
    default: [],
    'x-scope': 'config:dangerous',
    description:
      'Hosts (`NAME` or `NAME:PORT`) that may be fetched even if their address is private; public hosts are always allowed.',
  }),
  'tools.http.max_bytes': Type.Integer({
    default: 1_048_576,
    minimum: 1_024,
    maximum: 104_857_600,
    description: 'Largest part of a response that is read, in bytes.',
  }),
  'tools.http.timeout_ms': Type.Integer({
    default: 20_000,
    minimum: 100,
    maximum: 600_000,
    description: 'Time limit of a request, including redirects, in milliseconds.',
  }),
});
