import { Module } from '@nestjs/common';
import { DiceTool } from './dice.tool.js';

@Module({ providers: [DiceTool] })
export class AcmeModule {}
