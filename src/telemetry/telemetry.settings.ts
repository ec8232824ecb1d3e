import Type from 'typebox';
import { defineSettings } from '../core/config/section.js';
import { address, headers } from '../core/config/setting-kinds.js';

const FROM_THE_START = 'traces are made from before the store is opened, which holds changes';

/** Settings of metrics and traces. */
export const telemetrySettings = defineSettings({
  'telemetry.metrics': Type.Boolean({
    default: true,
    description: 'Count what the gateway does, and serve it to Prometheus at `/metrics`.',
    'x-restart': true,
    'x-start-only': 'counting begins before the store is opened, which holds changes',
  }),
  'telemetry.traces.endpoint': Type.Optional(
    address('https?', {
      description:
        'Where traces are exported by OTLP over HTTP: `http://collector:4318/v1/traces`. Without it none are made.',
      'x-restart': true,
      'x-start-only': FROM_THE_START,
    }),
  ),
  'telemetry.traces.headers': headers({
    default: {},
    description: 'Headers of the requests to the collector, for its credential.',
    'x-restart': true,
    'x-start-only': FROM_THE_START,
  }),
  'telemetry.traces.sample_ratio': Type.Number({
    minimum: 0,
    maximum: 1,
    default: 1,
    description:
      'Share of the traces that are recorded, of those that no caller with role channel or operator decides on.',
    'x-restart': true,
    'x-start-only': FROM_THE_START,
  }),
  'telemetry.traces.service_name': Type.String({
    minLength: 1,
    maxLength: 256,
    default: 'openclaw-gateway',
    description: 'The name of this gateway in traces.',
    'x-restart': true,
    'x-start-only': FROM_THE_START,
  }),
});
