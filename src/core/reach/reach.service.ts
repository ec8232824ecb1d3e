import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../config/config-store.service.js';

/** Where people reach the gateway from elsewhere: the one place that decides on links, and knows why they would fail. */
@Injectable()
export class ReachService {
  private exposed: string | undefined;
  private fault: string | undefined;

  constructor(private readonly config: ConfigStoreService) {}

  /**
   * The base of all links to the gateway, without a slash at its end: `gateway.public_url`, else the address through which it
   * is exposed. Undefined if there is none: then only this machine reaches it for sure.
   */
  get publicUrl(): string | undefined {
    return this.config.get('gateway.public_url')?.replace(/\/+$/, '') ?? this.exposed;
  }

  /** The addresses whose Host and Origin are allowed. */
  get addresses(): readonly URL[] {
    return [this.config.get('gateway.public_url'), this.exposed]
      .map((text) => (text === undefined ? null : URL.parse(text)))
      .filter((url) => url !== null);
  }

  /** Why the gateway is not reachable as its settings want it, in words for the operator; undefined if it is. */
  get problem(): string | undefined {
    return this.fault;
  }

  /** Notes the address through which the gateway is exposed, and why it is not reachable now. Neither: that is not wanted. */
  note({ url, problem }: { readonly url?: string | undefined; readonly problem?: string | undefined }): void {
    this.exposed = url;
    this.fault = problem;
  }
}
