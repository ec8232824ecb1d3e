/** From credentials to principals. */
export { AuthModule } from './auth.module.js';
export { AuthService, type AuthOutcome } from './auth.service.js';
export { checkExposure, exposureRule } from './exposure.js';
export { Caller, HttpAuthGuard, RequireRole, RequireScope } from './http-auth.guard.js';
