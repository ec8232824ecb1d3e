import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsObject, IsString, Length, Matches } from 'class-validator';
import { ANY_JSON, MayBeAbsent } from '../http/index.js';

/** An account of a channel whose driver runs in the gateway. */
export class ChannelDto {
  /**
   * As in messages: `telegram`, `telegram.support`.
   * @example "telegram.support"
   */
  name!: string;
  /**
   * connecting, connected, degraded, disconnected, error or stopped.
   * @example "connected"
   */
  state!: string;
  /**
   * Why it is not connected, or works in part only.
   * @example "the token was refused"
   */
  reason?: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  since!: number;
  /**
   * When the platform last handed over something since the start, in Unix milliseconds.
   * @example 1795766400000
   */
  last_in_at?: number;
  /**
   * When a message last reached the platform since the start, in Unix milliseconds.
   * @example 1795766400000
   */
  last_out_at?: number;
  /**
   * Messages that were given up.
   * @example 0
   */
  dead_letters!: number;
  /**
   * Messages since the start of people who got no code, because three wait already.
   * @example 2
   */
  turned_away?: number;
  /**
   * Replies since the start that did not reach the platform, because it refused their place.
   * @example 1
   */
  lost_replies?: number;
  /**
   * Why the newest of them did not.
   * @example "chat not found"
   */
  lost_reason?: string;
}

/** Where a test message goes. */
export class ChannelTestDto {
  /**
   * The platform's ID of the chat.
   * @example "5001"
   */
  @IsString()
  @Length(1, 256)
  chat!: string;
}

/** The outcome of a test message. */
export class ChannelTestResultDto {
  /**
   * sent, dead (refused) or waiting.
   * @example "sent"
   */
  state!: string;
  /** @example "chat not found" */
  reason?: string;
}

export class ChannelsDto {
  items!: ChannelDto[];
}

/** An account to be added, or to get other settings. */
export class NewChannelDto {
  /**
   * The channel, such as `telegram`.
   * @example "telegram"
   */
  @IsString()
  @Length(1, 64)
  name!: string;
  /**
   * Another account than `default`, which becomes the channel `NAME.ACCOUNT`.
   * @example "support"
   */
  @MayBeAbsent()
  @Matches(/^[A-Za-z0-9_-]{1,64}$/)
  account?: string;
  /** By their names below `channels.NAME`. Those of the driver are checked with the platform. */
  @IsObject()
  @ApiProperty({ type: 'object', additionalProperties: true, example: { bot_token: '123456:AA...' } })
  settings!: Record<string, unknown>;
  /** Writes the settings without asking the platform. */
  @MayBeAbsent()
  @IsBoolean()
  unchecked?: boolean;
}

/** An account that was added. */
export class AddedChannelDto {
  channel!: ChannelDto;
  /**
   * The account that the gateway speaks as; absent if the platform was not asked.
   * @example "ada_bot"
   */
  speaks_as?: string;
  /**
   * Remarks for the operator, for example a right that is missing.
   * @example ["it does not see messages of groups that do not mention it"]
   */
  remarks!: string[];
  /**
   * Keys of settings that the command line overrides until the next start.
   * @example ["channels.telegram.bot_token"]
   */
  needs_restart!: string[];
}

/** The result of a check of an account with its platform. */
export class ChannelCheckDto {
  /**
   * The account that the gateway speaks as; absent if the driver cannot ask.
   * @example "ada_bot"
   */
  speaks_as?: string;
  /**
   * Remarks for the operator, for example a right that is missing.
   * @example []
   */
  remarks!: string[];
}

/** A setting of a channel. */
export class ChannelSettingDto {
  /**
   * Below `channels.NAME`.
   * @example "bot_token"
   */
  key!: string;
  /** @example "The token that @BotFather gives." */
  description!: string;
  required!: boolean;
  /** It is never shown again. */
  secret!: boolean;
  @ApiProperty({ ...ANY_JSON, required: false, example: 'pairing' })
  default?: unknown;
}

export class ChannelSettingsDto {
  items!: ChannelSettingDto[];
}

/** A sender who asks to be let in. */
export class PairingDto {
  /** @example "5001" */
  sender!: string;
  /** @example "K7M2P9QX" */
  code!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  asked_at!: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  expires_at!: number;
}

/** A sender who was let in. */
export class SenderDto {
  /** @example "5001" */
  sender!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  approved_at!: number;
}

export class SendersDto {
  items!: SenderDto[];
}

export class PairingsDto {
  items!: PairingDto[];
}
