import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { MayBeAbsent } from '../http/index.js';

const MODES = ['serve', 'funnel'] as const;

/** The reachability of the gateway through Tailscale. */
export class TailscaleDto {
  /** True if it should be reachable: `gateway.expose_via_tailscale`. */
  expose!: boolean;
  /** serve: within the tailnet; funnel: on the internet. */
  @ApiProperty({ enum: MODES })
  mode!: string;
  /**
   * The port at which Tailscale listens.
   * @example 443
   */
  @ApiProperty({ type: 'integer' })
  port!: number;
  @ApiProperty({ enum: ['off', 'starting', 'up', 'degraded'] })
  state!: string;
  /**
   * Where people reach the gateway, while it is up.
   * @example "https://gateway.tail1234.ts.net"
   */
  url?: string;
  /**
   * Where Tailscale leads requests to, while it is up.
   * @example "http://127.0.0.1:18789"
   */
  target?: string;
  /**
   * Why it is degraded, and what to do.
   * @example "not reachable through Tailscale: Tailscale is logged out: run `sudo tailscale up`"
   */
  reason?: string;
}

/** The changes; absent fields stay as they are. */
export class TailscaleChangeDto {
  @MayBeAbsent()
  @IsBoolean()
  readonly expose?: boolean;

  @MayBeAbsent()
  @IsIn(MODES)
  @ApiProperty({ enum: MODES, required: false })
  readonly mode?: (typeof MODES)[number];
}
