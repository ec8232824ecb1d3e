import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../core/config/section.js';

/** The ports that Tailscale opens to the internet. */
const FUNNEL_PORTS = [443, 8_443, 10_000];

/** The gateway in a tailnet, or on the internet, through the program `tailscale` of its machine. */
export const tailscaleSettings = defineSettings(
  {
    'gateway.expose_via_tailscale': Type.Boolean({
      default: false,
      'x-scope': 'config:dangerous',
      description: 'Expose the gateway through Tailscale while it runs.',
    }),
    'gateway.tailscale_mode': Type.Enum(['serve', 'funnel'], {
      default: 'serve',
      'x-scope': 'config:dangerous',
      description: '`serve`: within the tailnet. `funnel`: to the internet, which needs a credential.',
    }),
    'gateway.tailscale_port': Type.Integer({
      default: 443,
      minimum: 1,
      maximum: 65_535,
      'x-scope': 'config:dangerous',
      description: 'Port at which Tailscale listens; for `funnel` 443, 8443 or 10000.',
    }),
    'gateway.tailscale_bin': Type.Optional(
      Type.String({
        minLength: 1,
        'x-scope': 'config:dangerous',
        'x-restart': true,
        description: 'The program `tailscale`; without it, it is looked for in PATH and in the usual places.',
      }),
    ),
    'gateway.tailscale_socket': Type.Optional(
      Type.String({
        minLength: 1,
        'x-scope': 'config:dangerous',
        'x-restart': true,
        description: 'The socket of tailscaled (`--socket`), where it is not the usual one.',
      }),
    ),
    'gateway.tailscale_listen': Type.Optional(
      Type.String({
        minLength: 1,
        'x-scope': 'config:dangerous',
        'x-restart': true,
        description:
          'Unix socket for Tailscale Serve, used with `auth.tailscale: true`; by default `tailscale.sock` beside the store. Its folder must have mode 0700.',
      }),
    ),
  },
  { rules: [findPortFault] },
);

function findPortFault(get: SettingsReader): SettingFault[] {
  const isFunnel = get('gateway.expose_via_tailscale') && get('gateway.tailscale_mode') === 'funnel';
  if (!isFunnel || FUNNEL_PORTS.includes(get('gateway.tailscale_port'))) return [];
  return [{ key: 'gateway.tailscale_port', message: `funnel listens on ${FUNNEL_PORTS.join(', ')} only` }];
}
