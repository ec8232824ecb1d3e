import { IsBoolean, IsObject, IsOptional, IsString, Length, Matches } from 'class-validator';

/** An account of a channel whose driver runs in the gateway. */
export class ChannelDto {
  /** As in messages: `telegram`, `telegram.support`. */
  name!: string;
  /** connecting, connected, degraded, disconnected, error or stopped. */
  state!: string;
  /** Why it is not connected, or works in part only. */
  reason?: string;
  /** Unix milliseconds. */
  since!: number;
  /** When the platform last handed over something since the start, in Unix milliseconds. */
  last_in_at?: number;
  /** When a message last reached the platform since the start, in Unix milliseconds. */
  last_out_at?: number;
  /** Messages that were given up. */
  dead_letters!: number;
  /** Replies since the start that did not reach the platform, because it refused their place. */
  lost_replies?: number;
  /** Why the newest of them did not. */
  lost_reason?: string;
}

/** Where a test message goes. */
export class ChannelTestDto {
  /** The platform's ID of the chat. */
  @IsString()
  @Length(1, 256)
  chat!: string;
}

/** What became of a test message. */
export class ChannelTestResultDto {
  /** sent, dead (refused) or waiting. */
  state!: string;
  reason?: string;
}

export class ChannelsDto {
  items!: ChannelDto[];
}

/** An account to be added, or to get other settings. */
export class NewChannelDto {
  /** The channel, such as `telegram`. */
  @IsString()
  @Length(1, 64)
  name!: string;
  /** Another account than `default`, which becomes the channel `NAME.ACCOUNT`. */
  @IsOptional()
  @Matches(/^[A-Za-z0-9_-]{1,64}$/)
  account?: string;
  /** By their names below `channels.NAME`. Those of the driver are checked with the platform. */
  @IsObject()
  settings!: Record<string, unknown>;
  /** Writes the settings without asking the platform. */
  @IsOptional()
  @IsBoolean()
  unchecked?: boolean;
}

/** An account that was added. */
export class AddedChannelDto {
  channel!: ChannelDto;
  /** Whom the gateway speaks as; absent if the platform was not asked. */
  speaks_as?: string;
  /** What the operator should know, for example a right that is missing. */
  remarks!: string[];
  /** Keys of settings that the command line overrides until the next start. */
  needs_restart!: string[];
}

/** What a platform says of an account. */
export class ChannelCheckDto {
  /** Whom the gateway speaks as; absent if the driver cannot ask. */
  speaks_as?: string;
  /** What the operator should know, for example a right that is missing. */
  remarks!: string[];
}

/** A setting of a channel. */
export class ChannelSettingDto {
  /** Below `channels.NAME`. */
  key!: string;
  description!: string;
  required!: boolean;
  /** It is never shown again. */
  secret!: boolean;
  default?: unknown;
}

export class ChannelSettingsDto {
  items!: ChannelSettingDto[];
}

/** A sender who asks to be let in. */
export class PairingDto {
  sender!: string;
  code!: string;
  /** Unix milliseconds. */
  asked_at!: number;
  /** Unix milliseconds. */
  expires_at!: number;
}

export class PairingsDto {
  items!: PairingDto[];
}
