// A module of a team with a tool that is not idempotent and writes each of its effects into a file.
import { appendFileSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { Tool } from 'openclaw-gateway-nest';
import Type from 'typebox';

class EffectTool {
  execute(_parameters, { callId }) {
    appendFileSync('effects.log', `${callId}\n`);
    return { done: true };
  }
}
Tool({ name: 'test.effect', description: 'Has an effect.', parameters: Type.Object({}) })(EffectTool);

export class EffectsModule {}
Module({ providers: [EffectTool] })(EffectsModule);
