import { Module } from '@nestjs/common';
import { PagerDriver } from './pager.driver.js';

@Module({ providers: [PagerDriver] })
export class PagerModule {}
