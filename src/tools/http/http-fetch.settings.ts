import Type from 'typebox';
import { defineSettings } from '../../core/config/section.js';

const HostName = Type.String({ pattern: '^[A-Za-z0-9.:_\\[\\]-]{1,260}$' });

/** What `http.fetch` may request. */
export const httpFetchSettings = defineSettings({
  'tools.http.allow_hosts': Type.Array(HostName, {
    default: [],
    description:
      'Hosts (`NAME` or `NAME:PORT`) that may be fetched although their address is private; public ones always may.',
  }),
  'tools.http.max_bytes': Type.Integer({
    default: 1_048_576,
    minimum: 1_024,
    maximum: 104_857_600,
    description: 'The most that is read of an answer, in bytes.',
  }),
  'tools.http.timeout_ms': Type.Integer({
    default: 20_000,
    minimum: 100,
    maximum: 600_000,
    description: 'The longest that an answer may take, redirects included, in milliseconds.',
  }),
});
