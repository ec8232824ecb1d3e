// A module of a team that measures how long the event loop of its process is blocked. `GET /loop` returns the longest delay
// since the last request, in milliseconds.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Controller, Get, Module } from '@nestjs/common';

const NS_PER_MS = 1e6;
const RESOLUTION_MS = 1;

class LoopController {
  delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.delays.enable();
  }

  read() {
    const { max, percentile } = { max: this.delays.max, percentile: this.delays.percentile(99) };
    this.delays.reset();
    return { max_ms: max / NS_PER_MS, p99_ms: percentile / NS_PER_MS };
  }
}
Controller('loop')(LoopController);
const read = Object.getOwnPropertyDescriptor(LoopController.prototype, 'read');
Get()(LoopController.prototype, 'read', read);

export class LoopWatchModule {}
Module({ controllers: [LoopController] })(LoopWatchModule);
