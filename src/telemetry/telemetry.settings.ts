import Type from 'typebox';
import { defineSettings } from '../core/config/section.js';
import { later } from '../core/config/setting-kinds.js';

/** Settings of metrics and traces. */
export const telemetrySettings = defineSettings({
  'telemetry.metrics': Type.Boolean({
    default: true,
    description: 'Count what the gateway does, and serve it to Prometheus at `/metrics`.',
    'x-restart': true,
    'x-start-only': 'counting begins before the store is opened, which holds changes',
  }),
  'telemetry.traces': later('Export of traces.'),
});
