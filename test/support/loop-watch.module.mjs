// A module of a team that measures how long the event loop of its process is blocked. `GET /loop` returns the longest delay
// since the last request, in milliseconds, and the most CPU that the loop used before it came to its timers again: a block that
// other processes of the machine do not lengthen.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Controller, Get, Module } from '@nestjs/common';

const NS_PER_MS = 1e6;
const RESOLUTION_MS = 1;
const US_PER_MS = 1e3;

class LoopController {
  delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  maxCpuUs = 0;

  constructor() {
    this.delays.enable();
    let before = process.threadCpuUsage();
    const look = () => {
      const { user, system } = process.threadCpuUsage(before);
      before = process.threadCpuUsage();
      this.maxCpuUs = Math.max(this.maxCpuUs, user + system);
    };
    setInterval(look, RESOLUTION_MS).unref();
  }

  read() {
    const { max, percentile } = { max: this.delays.max, percentile: this.delays.percentile(99) };
    const cpuUs = this.maxCpuUs;
    this.delays.reset();
    this.maxCpuUs = 0;
    return { max_ms: max / NS_PER_MS, p99_ms: percentile / NS_PER_MS, max_cpu_ms: cpuUs / US_PER_MS };
  }
}
Controller('loop')(LoopController);
const read = Object.getOwnPropertyDescriptor(LoopController.prototype, 'read');
Get()(LoopController.prototype, 'read', read);

export class LoopWatchModule {}
Module({ controllers: [LoopController] })(LoopWatchModule);
