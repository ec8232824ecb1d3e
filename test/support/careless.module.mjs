// A module of a team whose tools leave promises and timers behind that fail, and warn with secrets; and which can fail by itself.
import { EventEmitter } from 'node:events';
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

/** A secret of the settings, which does not look like one. */
const secret = process.env.CARELESS_SECRET;

class WarningTool {
  constructor() {
    process.emitWarning(`${secret}: made`);
  }

  execute() {
    process.emitWarning(`${secret}: called`, { code: 'ACME', detail: secret });
    const emitter = new EventEmitter();
    for (let i = 0; i < 20; i++) emitter.on(`${secret}: an event`, () => {});
    return 'done';
  }
}
Tool({ name: 'acme.warning', description: 'Warns.', parameters: Type.Object({}) })(WarningTool);

class FaultController {
  fail() {
    setTimeout(fail);
    return 'soon';
  }
}
Controller('fault')(FaultController);
Post()(FaultController.prototype, 'fail', Object.getOwnPropertyDescriptor(FaultController.prototype, 'fail'));

export class CarelessModule {}
Module({ providers: [CarelessTool, WarningTool], controllers: [FaultController] })(CarelessModule);
