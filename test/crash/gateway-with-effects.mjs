// The built gateway with one tool more, which is not idempotent and writes each of its effects into a file.
import 'reflect-metadata';
import { appendFileSync } from 'node:fs';
import { Module } from '@nestjs/common';
import Type from 'typebox';
import { runGateway, Tool } from '../../dist/index.js';

class EffectTool {
  execute(_parameters, { callId }) {
    appendFileSync('effects.log', `${callId}\n`);
    return { done: true };
  }
}
Tool({ name: 'test.effect', description: 'Has an effect.', parameters: Type.Object({}) })(EffectTool);

class EffectsModule {}
Module({ providers: [EffectTool] })(EffectsModule);

await runGateway({}, { modules: [EffectsModule] });
