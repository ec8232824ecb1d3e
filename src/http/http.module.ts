// Promises: every HTTP request keeps the rules for Host, Origin and query, and every failure has one form.
// Refuses to know: who the caller is, and what the paths mean.
import { Module } from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import type { ExpressAdapter } from '@nestjs/platform-express';
import { StartStep } from '../core/lifecycle/steps.js';
import { FrontDoor } from './front-door.js';
import { ProblemFilter } from './problem.filter.js';
import { RequestRulesService } from './request-rules.service.js';

@Module({
  providers: [RequestRulesService, { provide: APP_FILTER, useClass: ProblemFilter }],
  exports: [RequestRulesService],
})
export class HttpModule {
  constructor(
    private readonly host: HttpAdapterHost<ExpressAdapter>,
    private readonly rules: RequestRulesService,
  ) {}

  /** Before any other middleware, so that nothing of a request is parsed that is going to be turned away. */
  @StartStep({ name: 'check requests', phase: 'register' })
  openFrontDoor(): void {
    const door = new FrontDoor(this.rules);
    this.host.httpAdapter.setOnRequestHook((request, response, next) => door.receive(request, response, () => next()));
  }
}
