// A module of a team whose parts fail in every way: its tools throw, return what is not JSON or 100 MB, and ignore their time
// limit; its routes and its handlers of frames throw. `attack.guarded` needs the approval of a person.
import { Controller, Get, Module } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Tool } from 'openclaw-gateway-nest';
import Type from 'typebox';

const LARGE_LENGTH = 104_857_600;
const SECRET_OF_THE_TOOL = 'canary-in-an-error-0123456789';

const results = {
  throws() {
    throw new Error(`a fault\n{"level":"error","msg":"forged"}\u001b[31m`);
  },
  rejects: () => Promise.reject(new TypeError('a fault')),
  throws_nothing: () => Promise.reject(JSON.parse('null')),
  throws_late() {
    setTimeout(() => {}, 0);
    return Promise.reject(Object.assign(new Error('a fault'), { stack: 'x'.repeat(1_000_000), cause: {} }));
  },
  circular() {
    const result = {};
    result.self = result;
    return result;
  },
  getter: () => ({
    get content() {
      throw new Error('a fault of a getter');
    },
  }),
  to_json: () => ({
    toJSON() {
      throw new Error('a fault of toJSON');
    },
  }),
  bigint: () => 1n,
  symbol: () => Symbol('no JSON'),
  function: () => () => {},
  nothing: () => undefined,
  deep: () => JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)),
  large: () => 'x'.repeat(LARGE_LENGTH),
  many: () => Array.from({ length: 2_000_000 }, (_, n) => n),
  nul: () => 'a\u0000b\ud800',
  prototype: () => JSON.parse('{"__proto__":{"isAdmin":true},"constructor":1}'),
};

const tools = Object.entries(results).map(([name, execute]) => {
  const tool = class {
    execute() {
      return execute();
    }
  };
  Tool({ name: `attack.${name}`, description: 'Fails.', parameters: Type.Object({}), timeoutMs: 10_000 })(tool);
  return tool;
});

class DeafTool {
  /** Ignores its signal, and resolves long after its time limit. */
  execute() {
    return new Promise((resolve) => setTimeout(() => resolve('late'), 60_000).unref());
  }
}
Tool({ name: 'attack.deaf', description: 'Hangs.', parameters: Type.Object({}), timeoutMs: 200 })(DeafTool);

class GuardedTool {
  execute({ amount }) {
    return { paid: amount };
  }
}
Tool({
  name: 'attack.guarded',
  description: 'Needs an approval.',
  parameters: Type.Object({ amount: Type.Integer({ minimum: 1, maximum: 100 }) }, { additionalProperties: false }),
  requiresApproval: true,
})(GuardedTool);

class PermittedTool {
  execute() {
    return SECRET_OF_THE_TOOL;
  }
}
Tool({
  name: 'attack.permitted',
  description: 'Needs a permission.',
  parameters: Type.Object({}),
  permissions: ['vault'],
})(PermittedTool);

const FAULT = 'a fault of a handler';

class FrameHandlers {
  throws() {
    throw new Error(FAULT);
  }

  rejects() {
    return Promise.reject(new Error(FAULT));
  }

  circular() {
    const data = { fault: FAULT };
    data.self = data;
    return { event: 'attack.circular', data };
  }
}
class Routes {
  throws() {
    throw new Error(FAULT);
  }

  rejects() {
    return Promise.reject(new Error(FAULT));
  }

  circular() {
    const body = { fault: FAULT };
    body.self = body;
    return body;
  }
}
for (const name of ['throws', 'rejects', 'circular']) {
  const describe = (target) => [target.prototype, name, Object.getOwnPropertyDescriptor(target.prototype, name)];
  SubscribeMessage(`attack.${name}`)(...describe(FrameHandlers));
  Get(name)(...describe(Routes));
}
WebSocketGateway(18789)(FrameHandlers);
Controller('attack')(Routes);

export class HostileModule {}
Module({ controllers: [Routes], providers: [...tools, DeafTool, GuardedTool, PermittedTool, FrameHandlers] })(
  HostileModule,
);
