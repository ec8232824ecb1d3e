// A module of a team with the driver of the made-up platform, which is in the process of the test.
import { Module } from '@nestjs/common';
import { DeliveryError, DriverError } from 'openclaw-gateway-nest';
import { PigeonDriver, PlatformApi } from 'openclaw-gateway-nest/testing';

class RemotePlatform extends PlatformApi {
  poll = (...all) => this.call('poll', all);
  send = (...all) => this.call('send', all);
  edit = (...all) => this.call('edit', all);
  remove = (...all) => this.call('remove', all);
  readHistory = (...all) => this.call('readHistory', all);

  async call(name, all) {
    const response = await fetch(`${process.env.PLATFORM_URL}/${name}`, { method: 'POST', body: JSON.stringify(all) });
    const { result, failure } = await response.json();
    if (failure?.fault) throw new DriverError(failure.fault, failure.message);
    if (failure) throw new DeliveryError(failure.outcome, failure.message, failure.retryAfterMs);
    return result;
  }
}

export class PlatformModule {}
Module({ providers: [PigeonDriver, { provide: PlatformApi, useValue: new RemotePlatform() }] })(PlatformModule);
