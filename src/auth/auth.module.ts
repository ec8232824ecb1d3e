// Promises: who a request speaks for, decided in one place for every wire. Refuses to know: what they want.
import { Module } from '@nestjs/common';
import { HttpModule } from '../http/http.module.js';
import { AuthService } from './auth.service.js';
import { HttpAuthGuard } from './http-auth.guard.js';

@Module({
  imports: [HttpModule],
  providers: [AuthService, HttpAuthGuard],
  exports: [AuthService, HttpAuthGuard],
})
export class AuthModule {}
