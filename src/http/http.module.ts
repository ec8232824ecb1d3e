// Promises: every HTTP request satisfies the rules for Host, Origin and query, and every failure has the same form.
// Refuses to know: the caller's identity, and the meaning of paths.
import { Module } from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import type { ExpressAdapter } from '@nestjs/platform-express';
import { StartStep } from '../core/lifecycle/steps.js';
import { EventStreamsService } from './event-streams.service.js';
import { FrontDoor } from './front-door.js';
import { HttpTrafficService } from './http-traffic.service.js';
import { ProblemFilter } from './problem.filter.js';
import { TailscalePeers } from './tailscale-peers.js';
import { RequestRulesService } from './request-rules.service.js';

@Module({
  providers: [
    RequestRulesService,
    TailscalePeers,
    HttpTrafficService,
    EventStreamsService,
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
  exports: [RequestRulesService, HttpTrafficService, TailscalePeers, EventStreamsService],
})
export class HttpModule {
  constructor(
    private readonly host: HttpAdapterHost<ExpressAdapter>,
    private readonly rules: RequestRulesService,
    private readonly traffic: HttpTrafficService,
  ) {}

  /** Runs before any other middleware, so that a request is checked before anything of it is parsed. */
  @StartStep({ name: 'check requests', phase: 'register' })
  openFrontDoor(): void {
    const door = new FrontDoor(this.rules, this.traffic);
    this.host.httpAdapter.setOnRequestHook((request, response, next) => door.receive(request, response, () => next()));
  }
}
