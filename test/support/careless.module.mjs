// A module of a team whose tool leaves promises and timers behind that fail, and which can fail by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Module, Post } from '@nestjs/common';
import { Tool } from 'openclaw-gateway-nest';
import Type from 'typebox';

/** What it leaves behind fails with this text, as the error of a client with its key in the message does. */
const fail = () => {
  throw new Error('refused: Authorization: Bearer CANARY0123456789abcdef');
};

class CarelessTool {
  execute() {
    for (let i = 0; i < 1_000; i++) void sleep(1).then(fail);
    setTimeout(fail, 1);
    return 'done';
  }
}
Tool({ name: 'acme.careless', description: 'Leaves work behind.', parameters: Type.Object({}) })(CarelessTool);

class FaultController {
  fail() {
    setTimeout(fail);
    return 'soon';
  }
}
Controller('fault')(FaultController);
Post()(FaultController.prototype, 'fail', Object.getOwnPropertyDescriptor(FaultController.prototype, 'fail'));

export class CarelessModule {}
Module({ providers: [CarelessTool], controllers: [FaultController] })(CarelessModule);
